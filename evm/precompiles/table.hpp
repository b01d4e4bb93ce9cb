#pragma once

#include <cstdint>
#include <string_view>

#include "core/bytes.hpp"
#include "core/types/address.hpp"
#include "core/types/fork.hpp"

namespace keel::evm {

enum class PrecompileStatus : uint8_t {
    Success,
    Failure,  // out of gas or bad input: all forwarded gas is gone
};

struct PrecompileResult {
    PrecompileStatus status;
    int64_t gas_left;     // 0 unless Success
    bool unpaid = false;  // a Failure for want of gas alone, as far as was looked
};

/// One row of the table of precompiles; has the address, the fork rule, the price and the function.
struct Precompile;

/// The precompile at `address` under these rules, null if there is none. Lives for ever.
const Precompile* find_precompile(const core::Address& address,
                                  const core::ForkRules& rules) noexcept;

/// "ECRECOVER", "KZG point evaluation": for messages.
std::string_view name_of(const Precompile& precompile) noexcept;

/// Charges and runs `precompile`. `output` is replaced (its memory is reused); it is empty unless
/// Success. It may not share memory with `input`. Any thread.
PrecompileResult run_precompile(const Precompile& precompile, core::ByteView input, int64_t gas,
                                const core::ForkRules& rules, core::Bytes& output);

}  // namespace keel::evm
