// eth_sendRawTransaction, and the same with the receipt as its answer (EIP-7966).

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>

#include "core/hex.hpp"
#include "rpc/dev/solo.hpp"
#include "rpc/eth/objects.hpp"
#include "rpc/head_signal.hpp"
#include "rpc/methods.hpp"
#include "rpc/metrics.hpp"
#include "rpc/pool/pool.hpp"

namespace keel::rpc::eth {
namespace {

Answer<core::Hash32> send(Call& call, const core::Bytes& bytes) {
    if (call.backend.pool == nullptr) return fail(Code::Failed, "there is no transaction pool");
    const auto hash = call.backend.pool->add(bytes);
    if (call.backend.metrics != nullptr) {
        call.backend.metrics->tx_sent(hash ? std::string_view() : hash.error().message);
    }
    if (!hash) return hash;
    if (call.backend.solo != nullptr) {
        if (auto mined = call.backend.solo->on_pooled(*hash); !mined) {
            return core::unexpected(mined.error());
        }
    }
    return hash;
}

/// A QUANTITY or a number.
Converted<uint64_t> to_milliseconds(JsonValue value) {
    if (!value.is(JsonKind::Number)) return to_uint64(value);
    uint64_t number = 0;
    const std::string_view text = value.raw();
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size()) {
        return core::unexpected(std::string("not a whole number"));
    }
    return number;
}

/// False: it is in no block.
bool write_receipt(Call& call, const core::Hash32& hash) {
    // Not the call's own snapshot: that stays where the call began.
    const Snapshot now(call.backend.database, *call.backend.tables);
    const auto place = now.blocks().find_tx(hash);
    const auto block = place ? now.blocks().canonical_hash(place->number) : std::nullopt;
    if (!block) return false;
    ReceiptWriter(now, *call.backend.schedule, {place->number, *block})
        .write_one(call.out, place->index);
    return true;
}

/// As Go writes a duration.
std::string duration_text(uint64_t milliseconds) {
    if (milliseconds < 1000) return fmt::format("{}ms", milliseconds);
    const uint64_t minutes = milliseconds / 60'000;
    const double seconds = static_cast<double>(milliseconds % 60'000) / 1000;
    return minutes > 0 ? fmt::format("{}m{}s", minutes, seconds) : fmt::format("{}s", seconds);
}

}  // namespace

Answer<void> send_raw_transaction(Call& call) {
    Args args(call.params, 1);
    const core::Bytes bytes = args.bytes(0);
    if (!args.ok()) return args.error();
    const auto hash = send(call, bytes);
    if (!hash) return core::unexpected(hash.error());
    call.out.data(*hash);
    return {};
}

Answer<void> send_raw_transaction_sync(Call& call) {
    Args args(call.params, 2);
    const core::Bytes bytes = args.bytes(0);
    const auto wished_ms = args.optional(1, to_milliseconds);
    if (!args.ok()) return args.error();
    const uint64_t wait_ms =
        std::min(wished_ms.value_or(0) == 0 ? call.backend.sync_wait_ms : *wished_ms,
                 call.backend.sync_wait_ms_max);
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms);
    HeadSignal* const signal = call.backend.head_signal;
    // Looked at before the transaction is there, so that no head slips through.
    uint64_t seen = signal == nullptr ? 0 : signal->count();
    const auto hash = send(call, bytes);
    if (!hash) return core::unexpected(hash.error());
    do {
        if (write_receipt(call, *hash)) return {};
    } while (signal != nullptr && signal->wait_beyond(seen, until));
    return core::unexpected(
        Error{.code = Code::NotYetMined,
              .message = fmt::format(
                  "The transaction was added to the transaction pool but wasn't processed in {}",
                  duration_text(wait_ms)),
              .data = core::ByteView(*hash).to_bytes()});
}

}  // namespace keel::rpc::eth
