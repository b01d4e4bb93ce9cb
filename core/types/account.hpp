#pragma once

#include <cstdint>
#include <string_view>

#include "core/types/hash.hpp"
#include "core/u256.hpp"

namespace keel::core {

/// A hash constant from its 64 lower-case digits.
consteval Hash32 hash_of_digits(std::string_view digits) {
    if (digits.size() != 2 * Hash32::kSize) throw "64 digits";
    const auto value = [digits](size_t at) {
        const char digit = digits[at];
        if (digit >= '0' && digit <= '9') return static_cast<unsigned>(digit - '0');
        if (digit < 'a' || digit > 'f') throw "a hex digit";
        return static_cast<unsigned>(digit - 'a') + 10;
    };
    Hash32 hash;
    for (size_t i = 0; i < Hash32::kSize; ++i) {
        hash[i] = static_cast<uint8_t>(value(2 * i) * 16 + value(2 * i + 1));
    }
    return hash;
}

/// keccak-256 of the RLP of the empty string: root of a trie without entries.
inline constexpr Hash32 kEmptyTrieRoot =
    hash_of_digits("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
/// keccak-256 of no bytes.
inline constexpr Hash32 kEmptyCodeHash =
    hash_of_digits("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
/// keccak-256 of the RLP of the empty list.
inline constexpr Hash32 kEmptyOmmersHash =
    hash_of_digits("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347");
/// SHA-256 of no bytes: requests hash of a block without requests (EIP-7685).
inline constexpr Hash32 kEmptyRequestsHash =
    hash_of_digits("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");

/// An account as the state trie knows it (yellow paper, 4.1).
struct Account {
    uint64_t nonce = 0;
    U256 balance;  // wei
    Hash32 storage_root = kEmptyTrieRoot;
    Hash32 code_hash = kEmptyCodeHash;

    /// EIP-161: storage does not count.
    bool is_empty() const noexcept {
        return nonce == 0 && balance.is_zero() && code_hash == kEmptyCodeHash;
    }
    friend bool operator==(const Account&, const Account&) noexcept = default;
};

}  // namespace keel::core
