#pragma once

#include <cstdint>

#include "core/bytes.hpp"
#include "core/endian.hpp"
#include "core/types/account.hpp"
#include "core/types/address.hpp"
#include "core/u256.hpp"
#include "state/index_table.hpp"

namespace keel::state {

// What a journal keeps of accounts and slots, and of each change to them. For journal.cpp alone.

inline constexpr uint32_t kNoEntry = IndexTable::kNone;

/// An account that the block has met. Its stamps are numbers of transactions: a mark is set when
/// its stamp is that of the running one, so that a new transaction finds all of them clear.
struct AccountEntry {
    core::Address address;
    bool loaded = false;  // asked of the reader; until then only `warm` means anything
    bool was_present = false;
    bool present = false;
    bool code_loaded = false;
    uint32_t index = 0;
    /// Storage is that of the reader in incarnation 0, empty at the start of every other one. The
    /// numbers are never used twice, so that values of a lost incarnation never come back.
    uint32_t incarnation = 0;
    uint32_t incarnations = 0;
    uint32_t first_slot = kNoEntry;  // list of its slots, through SlotEntry::next
    uint32_t warm = 0;
    uint32_t touched = 0;
    uint32_t created = 0;
    uint32_t destructed = 0;
    core::ByteView code;  // of now.code_hash, if code_loaded
    core::Account now;
    core::Account before;

    bool had_storage() const noexcept {
        return was_present && before.storage_root != core::kEmptyTrieRoot;
    }
};

struct SlotEntry {
    core::U256 slot;
    core::U256 current;    // in `incarnation`; in any other one of the account the slot is 0
    uint32_t account = 0;  // index
    uint32_t incarnation = 0;
    uint32_t warm = 0;      // stamp
    uint32_t original = 0;  // stamp: when `original_value` is that at the start of the transaction
    uint32_t next = kNoEntry;
    bool loaded = false;  // asked of the reader; until then only `warm` means anything
    core::U256 original_value;
    core::U256 before;

    core::U256 value(const AccountEntry& owner) const noexcept {
        return incarnation == owner.incarnation ? current : core::U256{};
    }
};

struct TransientEntry {
    core::U256 slot;
    core::U256 value;
    uint32_t account = 0;  // index
};

/// What to put back.
struct Undo {
    enum class Kind : uint32_t {
        Balance,      // value
        Nonce,        // value
        Code,         // value: hash
        Absence,      // was not there
        Incarnation,  // first: number; value: storage root
        Created,      // first: stamp
        Touched,      // first: stamp
        Destructed,   // first: stamp
        WarmAccount,  // first: stamp
        WarmSlot,     // first: stamp
        Slot,         // value; first: incarnation; second: stamp of the original value
        Transient,    // value
        Refund,       // value
        Log,
    };
    Kind kind;
    uint32_t index;  // of the account, slot or transient slot
    uint32_t first;
    uint32_t second;
    core::U256 value;
};

inline bool same_address(const core::Address& a, const core::Address& b) noexcept {
    const auto word = [](const core::Address& of, size_t at) {
        return core::load_le<uint64_t>(of.data() + at);
    };
    return ((word(a, 0) ^ word(b, 0)) | (word(a, 8) ^ word(b, 8)) | (word(a, 12) ^ word(b, 12))) ==
           0;
}

}  // namespace keel::state
