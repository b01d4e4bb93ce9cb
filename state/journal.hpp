#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/types/fork.hpp"
#include "core/types/receipt.hpp"
#include "core/types/tx.hpp"
#include "evm/host.hpp"
#include "state/change_set.hpp"
#include "state/reader.hpp"
#include "state/values.hpp"

namespace keel::state {

/// Where BLOCKHASH finds the hash of an ancestor.
class BlockHashes {
  public:
    virtual ~BlockHashes() = default;
    /// Hash of the ancestor `number` of the block that executes; zero when there is none.
    virtual core::Hash32 block_hash(uint64_t number) = 0;
};

/// The state during a block: what was read, and all changes since, with an undo log for the
/// transaction that runs. Call frames push undo entries; nothing is cloned. Reads fall through to
/// the StateReader once, then stay here. One thread; may be used for many blocks in a row
/// (begin_block), keeping its memory.
class Journal final : public evm::Host {
  public:
    Journal();
    ~Journal() override;
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;

    /// Forgets everything. lifetime: both must outlive the block.
    void begin_block(StateReader& reader, BlockHashes& hashes);
    /// Empty warm sets, transient storage, logs and refund; nothing created or destructed. Used for
    /// system calls too.
    void begin_transaction(const core::ForkRules& rules);
    /// Destructed accounts go, with what they have received since; then touched empty ones
    /// (EIP-161); values of slots now are the original ones of the next transaction.
    void end_transaction();

    // Beyond what an opcode can do; all journaled.
    /// Credits and touches (creates an absent account before EIP-161; also with 0).
    void add_balance(const core::Address& address, const core::U256& wei);
    /// The account has at least as much.
    void sub_balance(const core::Address& address, const core::U256& wei);
    /// Creates an absent account, also with 0; so does set_nonce.
    void set_balance(const core::Address& address, const core::U256& wei);
    void set_nonce(const core::Address& address, uint64_t nonce);
    const std::vector<core::Log>& logs() const noexcept;
    /// Logs of the transaction; the journal has none then.
    std::vector<core::Log> take_logs();
    /// Addresses and slots that are warm now, ascending (eth_createAccessList).
    core::AccessList access_list() const;

    /// All that differs from the reader's state, sorted; storage roots not yet resolved. Between
    /// transactions.
    ChangeSet changes();
    /// The same at the end of the block: new codes are handed over, not copied. Only begin_block
    /// may follow.
    ChangeSet take_changes();

    /// From now on until the next block it is remembered which keys change.
    void remember_dirty_keys();
    /// Values of the keys that changed since remember_dirty_keys or the last call (perhaps some
    /// more); the storage root of an account without slots here is the one before the block, or
    /// the empty one. Between transactions.
    Values take_dirty_values();

    // evm::Host
    bool account_exists(const core::Address& address) override;
    bool is_dead(const core::Address& address) override;
    core::U256 balance(const core::Address& address) override;
    uint64_t nonce(const core::Address& address) override;
    core::ByteView code(const core::Address& address) override;
    core::Hash32 code_hash(const core::Address& address) override;
    bool has_storage(const core::Address& address) override;
    core::U256 storage(const core::Address& address, const core::U256& slot) override;
    core::U256 original_storage(const core::Address& address, const core::U256& slot) override;
    void set_storage(const core::Address& address, const core::U256& slot,
                     const core::U256& value) override;
    core::U256 transient_storage(const core::Address& address, const core::U256& slot) override;
    void set_transient_storage(const core::Address& address, const core::U256& slot,
                               const core::U256& value) override;
    evm::Access access_account(const core::Address& address) override;
    evm::Access access_slot(const core::Address& address, const core::U256& slot) override;
    size_t snapshot() override;
    void revert(size_t snapshot) override;
    void touch(const core::Address& address) override;
    void transfer(const core::Address& from, const core::Address& to,
                  const core::U256& value) override;
    void burn_balance(const core::Address& address) override;
    void create_account(const core::Address& address, uint64_t nonce) override;
    bool created_in_transaction(const core::Address& address) override;
    void set_code(const core::Address& address, core::ByteView code) override;
    void increment_nonce(const core::Address& address) override;
    bool mark_destructed(const core::Address& address) override;
    void add_log(const core::Address& address, std::span<const core::Hash32> topics,
                 core::ByteView data) override;
    void add_refund(int64_t gas) override;
    int64_t refund() const noexcept override;
    core::Hash32 block_hash(uint64_t number) override;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace keel::state
