#include "rpc/debug/tracers/four_byte.hpp"

#include <fmt/format.h>

#include "core/hex.hpp"
#include "evm/precompiles/table.hpp"

namespace keel::rpc::debug {

void FourByteTracer::enter(const evm::Message& message) {
    constexpr size_t kSelectorBytes = 4;
    const core::ByteView input = message.input;
    if (message.kind == evm::CallKind::Create || input.size() < kSelectorBytes) return;
    if (evm::find_precompile(message.code_address, traced().rules()) != nullptr) return;
    ++counts_[fmt::format("{}-{}", core::to_hex_prefixed(input.sub(0, kSelectorBytes)),
                          input.size() - kSelectorBytes)];
}

void FourByteTracer::write(JsonOut& out, const chain::TxOutcome&) {
    out.begin_object();
    for (const auto& [name, count] : counts_) {
        out.key(name);
        out.number(count);
    }
    out.end_object();
}

}  // namespace keel::rpc::debug
