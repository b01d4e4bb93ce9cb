#pragma once

#include <cstdint>
#include <span>

#include "core/bytes.hpp"
#include "core/types/address.hpp"
#include "core/types/hash.hpp"
#include "core/u256.hpp"

namespace keel::evm {

/// What the opcodes 40-48 and 4a read. The same for all transactions of a block.
struct BlockContext {
    core::Address coinbase;
    uint64_t number = 0;
    uint64_t timestamp = 0;
    uint64_t gas_limit = 0;
    core::U256 difficulty;     // before EIP-4399
    core::Hash32 prev_randao;  // from EIP-4399
    core::U256 base_fee;       // wei
    core::U256 blob_base_fee;  // wei
    core::U256 chain_id;
};

/// What the opcodes 32, 3a and 49 read.
struct TxContext {
    core::Address origin;
    core::U256 gas_price;  // effective price in wei
    std::span<const core::Hash32> blob_hashes;
    /// EIP-2929: precompiles are warm in a transaction; in a system call nothing is.
    bool precompiles_are_warm = true;
};

enum class Access : uint8_t { Warm, Cold };

/// Everything that the interpreter asks of the world. Each change is journaled: revert(snapshot)
/// takes back all that was done since, access marks, refunds and logs too. One exception is
/// historical: the touch of address 0x03 survives (mainnet block 2675119, EVM.md 8.1).
class Host {
  public:
    virtual ~Host() = default;

    virtual bool account_exists(const core::Address& address) = 0;
    /// Absent, or nonce and balance zero and no code (EIP-161).
    virtual bool is_dead(const core::Address& address) = 0;
    virtual core::U256 balance(const core::Address& address) = 0;
    virtual uint64_t nonce(const core::Address& address) = 0;
    /// Lives to the end of the transaction, even if the account loses its code.
    virtual core::ByteView code(const core::Address& address) = 0;
    /// keccak256 of the code; that of "" for an absent account.
    virtual core::Hash32 code_hash(const core::Address& address) = 0;
    virtual bool has_storage(const core::Address& address) = 0;

    virtual core::U256 storage(const core::Address& address, const core::U256& slot) = 0;
    /// The value at the start of the transaction; 0 if the account was created in it.
    virtual core::U256 original_storage(const core::Address& address, const core::U256& slot) = 0;
    virtual void set_storage(const core::Address& address, const core::U256& slot,
                             const core::U256& value) = 0;
    virtual core::U256 transient_storage(const core::Address& address, const core::U256& slot) = 0;
    virtual void set_transient_storage(const core::Address& address, const core::U256& slot,
                                       const core::U256& value) = 0;

    /// Makes the account (slot) warm and says what it was before (EIP-2929).
    virtual Access access_account(const core::Address& address) = 0;
    virtual Access access_slot(const core::Address& address, const core::U256& slot) = 0;

    virtual size_t snapshot() = 0;
    virtual void revert(size_t snapshot) = 0;

    /// Before EIP-158 creates the account if it is absent; from then on the account is deleted at
    /// the end of the transaction if it is empty.
    virtual void touch(const core::Address& address) = 0;
    /// Moves `value`, which `from` has, and touches `to`; also with value 0 and from == to.
    virtual void transfer(const core::Address& from, const core::Address& to,
                          const core::U256& value) = 0;
    /// Balance to 0, the wei are lost.
    virtual void burn_balance(const core::Address& address) = 0;
    /// A fresh account: nonce as given, no code, empty storage, the previous balance; marks it as
    /// created in this transaction and touches it.
    virtual void create_account(const core::Address& address, uint64_t nonce) = 0;
    virtual bool created_in_transaction(const core::Address& address) = 0;
    virtual void set_code(const core::Address& address, core::ByteView code) = 0;
    virtual void increment_nonce(const core::Address& address) = 0;
    /// Marks the account for removal at the end of the transaction; false if it was marked before.
    virtual bool mark_destructed(const core::Address& address) = 0;

    virtual void add_log(const core::Address& address, std::span<const core::Hash32> topics,
                         core::ByteView data) = 0;
    virtual void add_refund(int64_t gas) = 0;
    /// The counter; in the middle of a transaction it may be negative.
    virtual int64_t refund() const noexcept = 0;
    /// Hash of the ancestor `number`, which is one of the last 256.
    virtual core::Hash32 block_hash(uint64_t number) = 0;
};

}  // namespace keel::evm
