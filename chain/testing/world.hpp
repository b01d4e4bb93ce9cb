#pragma once

#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "chain/execute_block.hpp"
#include "chain/fork_schedule.hpp"
#include "core/hex.hpp"
#include "db/open.hpp"
#include "state/reader.hpp"
#include "state/state_root.hpp"
#include "state/tables.hpp"

namespace keel::chain::testing {

/// Account in the way tests write one.
struct GivenAccount {
    core::U256 balance = {};
    uint64_t nonce = 0;
    std::string_view code = {};  // hex digits
    std::map<uint64_t, uint64_t> storage = {};
};
using GivenAccounts = std::map<core::Address, GivenAccount>;

inline core::Address address_of(uint64_t number) {
    const auto word = core::U256(number).to_be32();
    return core::Address(core::ByteView(word).sub(12));
}

inline const core::Address kSender = address_of(0xaaaa);
inline const core::Address kTarget = address_of(0xbbbb);
inline const core::Address kCoinbase = address_of(0xcccc);
constexpr uint64_t kEther = 1'000'000'000'000'000'000;  // wei

inline core::Bytes bytes_of(std::string_view digits) {
    return core::from_hex(digits).value();
}

/// A state in a store of its own, and what executes on it.
class World final : public state::BlockHashes {
  public:
    World(core::Fork fork, const GivenAccounts& accounts) {
        rules = {core::rules_of(fork), default_blob_parameters(fork)};
        database.update([&](db::WriteTxn& writer) { put(writer, accounts); });
        txn = database.begin_ro();
        executor.journal.begin_block(reader, *this);
    }

    core::Hash32 block_hash(uint64_t number) override {
        core::Hash32 hash;
        hash[31] = static_cast<uint8_t>(number);
        return hash;
    }

    /// Root of a state that has exactly these accounts.
    static core::Hash32 root_of(const GivenAccounts& accounts) {
        World world(core::Fork::Frontier, {});
        core::Hash32 root;
        world.txn.end();
        world.database.update([&](db::WriteTxn& writer) { root = world.put(writer, accounts); });
        return root;
    }

    /// The state as it is now; between transactions.
    core::Hash32 root() {
        state::ChangeSet changes = executor.journal.changes();
        return state::resolve_state_root(tries, changes, nullptr);
    }
    state::Journal& journal() { return executor.journal; }

    /// Executes with senders as given and no check of signatures.
    core::Result<BlockOutcome, Rejection> run(core::Block& block,
                                              std::vector<core::Address> senders = {}) {
        core::Bytes rlp;
        append_block(rlp, block);
        sealed = crypto::seal(std::move(rlp)).value();
        sealed.senders = std::move(senders);
        return execute_block(executor, ForkSchedule(config), rules, sealed, reader, tries, *this);
    }

    db::Database database = db::open_ephemeral(state::schema());
    state::Tables tables{database};
    db::ReadTxn txn;
    state::NewestState reader{txn, tables};
    state::NewestTries tries{txn, tables};
    Executor executor;
    BlockRules rules;
    ChainConfig config;
    crypto::SealedBlock sealed;

  private:
    core::Hash32 put(db::WriteTxn& to, const GivenAccounts& accounts) {
        state::NewestState state(to, tables);
        state::NewestTries nodes(to, tables);
        state::Journal journal;
        journal.begin_block(state, *this);
        journal.begin_transaction(core::rules_of(core::Fork::Frontier));
        for (const auto& [address, account] : accounts) {
            journal.set_balance(address, account.balance);
            journal.set_nonce(address, account.nonce);
            journal.set_code(address, bytes_of(account.code));
            for (const auto& [slot, value] : account.storage) {
                journal.set_storage(address, slot, value);
            }
        }
        journal.end_transaction();
        state::ChangeSet changes = journal.changes();
        state::TrieChanges rows;
        const core::Hash32 root = state::resolve_state_root(nodes, changes, &rows);
        state::write_flat_state(to, tables, changes);
        state::write_trie_rows(to, tables, rows);
        return root;
    }
};

}  // namespace keel::chain::testing
