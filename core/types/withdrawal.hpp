#pragma once

#include <cstdint>

#include "core/rlp.hpp"
#include "core/types/address.hpp"

namespace keel::core {

/// Ether that the beacon chain pays out (EIP-4895).
struct Withdrawal {
    uint64_t index = 0;
    uint64_t validator_index = 0;
    Address address;
    uint64_t amount = 0;  // gwei

    friend bool operator==(const Withdrawal&, const Withdrawal&) noexcept = default;
};

/// Reads the next item of `from`.
[[nodiscard]] RlpResult<Withdrawal> decode_withdrawal(RlpReader& from);
/// Appends the item, which is the trie value too.
void append_withdrawal(Bytes& to, const Withdrawal& withdrawal);

}  // namespace keel::core
