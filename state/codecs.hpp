#pragma once

#include <optional>

#include "core/bytes.hpp"
#include "core/types/account.hpp"
#include "core/types/address.hpp"
#include "core/types/hash.hpp"
#include "core/u256.hpp"

namespace keel::state {

/// Slim account: RLP [nonce, balance, storage root, code hash], the two hashes as empty strings
/// when they are those of nothing.
void append_slim_account(core::Bytes& to, const core::Account& account);
/// Throws Fault::Damaged.
core::Account decode_slim_account(core::ByteView row);
/// The value of the account trie: the same with full hashes (yellow paper, 4.1).
void append_trie_account(core::Bytes& to, const core::Account& account);

/// Value of a slot without leading zeros; zero is empty.
core::ByteView trim_slot(const std::array<uint8_t, 32>& value) noexcept;

/// Key pieces: number (8 bytes big-endian), number ‖ hash, address ‖ slot.
std::array<uint8_t, 8> number_key(uint64_t number) noexcept;
std::array<uint8_t, 40> block_key(uint64_t number, const core::Hash32& hash) noexcept;
std::array<uint8_t, 52> slot_key(const core::Address& address, const core::U256& slot) noexcept;
uint64_t number_of_key(core::ByteView key) noexcept;

}  // namespace keel::state
