#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "core/bytes.hpp"
#include "core/types/address.hpp"
#include "core/types/hash.hpp"
#include "core/types/receipt.hpp"
#include "core/u256.hpp"

namespace keel::differential {

using core::Address;
using core::Bytes;
using core::ByteView;
using core::Hash32;
using core::U256;

/// The state of the reference machine: a few rows in vectors, searched from the front. A snapshot
/// is a copy of all of it.
class World {
  public:
    struct Account {
        Address address;
        bool exists = false;
        uint64_t nonce = 0;
        U256 balance;
        ByteView code;  // in `codes`
        // In this transaction.
        bool touched = false;
        bool created = false;
        bool destructed = false;
        bool warm = false;

        bool empty() const { return nonce == 0 && balance == U256() && code.empty(); }
    };
    struct Slot {
        Address address;
        U256 key;
        U256 value;
        U256 original;  // at the start of the transaction
        bool warm = false;
    };
    struct TransientSlot {
        Address address;
        U256 key;
        U256 value;
    };
    struct Rows {
        std::vector<Account> accounts;
        std::vector<Slot> slots;
        std::vector<TransientSlot> transients;
        size_t log_count = 0;
        int64_t refund = 0;
    };

    void begin_transaction();
    /// Destructed accounts go; from EIP-158 touched empty ones too.
    void end_transaction(bool eip_158);

    /// The row of the address, made if there is none; none of both pointers stays valid when
    /// another row is made.
    Account& account(const Address& address);
    const Account* find(const Address& address) const;
    Slot& slot(const Address& address, const U256& key);
    bool has_storage(const Address& address) const;
    U256 transient(const Address& address, const U256& key) const;
    void set_transient(const Address& address, const U256& key, const U256& value);
    /// A view of the code that lives as long as the world.
    ByteView keep_code(ByteView code);

    Rows snapshot() const { return rows; }
    /// Takes all back but a touch of 0x03 (mainnet block 2675119).
    void restore(Rows&& saved);

    Rows rows;
    std::vector<core::Log> logs;  // beyond rows.log_count: taken back

  private:
    std::deque<Bytes> codes_;
};

}  // namespace keel::differential
