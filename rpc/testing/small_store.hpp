#pragma once

// A store with three blocks written row by row, nothing of it executed: what methods read, and
// values that a test knows because it wrote them.

#include <string>

#include "chain/block_store.hpp"
#include "chain/fork_schedule.hpp"
#include "core/types/receipt.hpp"
#include "crypto/keccak.hpp"
#include "crypto/seal.hpp"
#include "db/open.hpp"
#include "rpc/dispatch.hpp"
#include "state/codecs.hpp"

namespace keel::rpc {

template <class Fixed>
Fixed filled(uint8_t byte) {
    Fixed fixed;
    fixed.bytes.fill(byte);
    return fixed;
}

struct SmallStore {
    // Accounts of the newest state.
    core::Address rich = filled<core::Address>(0xaa);      // 5 wei, nonce 7
    core::Address contract = filled<core::Address>(0xcc);  // code, slot 1 = 0x1234
    core::Bytes code = {0x60, 0x2a, 0x60, 0x00, 0x52, 0x60, 0x20, 0x60, 0x00, 0xf3};  // returns 42

    db::Database database = db::open_ephemeral(state::schema());
    state::Tables tables{database};
    chain::ForkSchedule schedule{*chain::config_of_network("Cancun")};
    std::vector<chain::BlockId> blocks;   // by number
    std::vector<core::Hash32> tx_hashes;  // of block 1
    core::Address sender = filled<core::Address>(0x11);
    Backend backend;

    SmallStore() {
        database.update([this](db::WriteTxn& txn) {
            write_state(txn);
            write_block(txn, {}, {});
            write_block(txn, transactions(), receipts());
            write_block(txn, {}, {});
            chain::put_position(txn, tables, chain::setting::kHead, blocks.back());
        });
        backend.database = database;
        backend.tables = &tables;
        backend.schedule = &schedule;
        backend.network_id = 4711;
        backend.client_version = "keel/v0/test/none";
    }
    SmallStore(const SmallStore&) = delete;
    SmallStore& operator=(const SmallStore&) = delete;

    /// Answer to one body.
    std::string ask(std::string body, std::vector<std::string> namespaces = {"eth", "net", "web3"},
                    DispatchLimits limits = {}) const {
        const Dispatcher dispatcher(backend, std::move(namespaces), limits);
        const size_t size = body.size();
        body.append(kJsonPadding, 'z');
        Exchange exchange;
        Worker worker;
        (void)dispatcher.parse(exchange, std::string_view(body).substr(0, size));
        dispatcher.run(exchange, worker);
        return std::string(exchange.out.text());
    }
    /// Text of `result` or `error` of one call.
    std::string call(const std::string& method, const std::string& params) const {
        const std::string answer =
            ask(R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":)" + params + "}");
        const std::string result = R"({"jsonrpc":"2.0","id":1,"result":)";
        const std::string error = R"({"jsonrpc":"2.0","id":1,"error":)";
        for (const std::string& head : {result, error}) {
            if (answer.starts_with(head)) {
                return answer.substr(head.size(), answer.size() - head.size() - 1);
            }
        }
        return answer;
    }

  private:
    std::vector<core::Bytes> raw_txs_;

    void write_state(db::WriteTxn& txn) const {
        core::Bytes row;
        state::append_slim_account(row, {.nonce = 7, .balance = core::U256(5)});
        txn.put(tables.account, rich, row);
        row.clear();
        core::Account account;
        account.nonce = 1;
        account.code_hash = crypto::keccak256(code);
        account.storage_root = filled<core::Hash32>(0x99);
        state::append_slim_account(row, account);
        txn.put(tables.account, contract, row);
        txn.put(tables.code, account.code_hash, code);
        txn.put(tables.storage, state::slot_key(contract, core::U256(1)), core::Bytes{0x12, 0x34});
    }

    std::vector<core::Tx> transactions() {
        core::Tx create;
        create.nonce = 3;
        create.max_fee = create.max_priority_fee = core::U256(2'000'000'000);
        create.gas = 100'000;
        create.value = core::U256(9);
        create.v = core::U256(27);
        create.r = core::U256(0x1234);
        create.s = core::U256(0x5678);
        core::Tx dynamic;
        dynamic.type = core::TxType::DynamicFee;
        dynamic.chain_id = core::U256(1);
        dynamic.nonce = 4;
        dynamic.max_fee = core::U256(3'000'000'000);
        dynamic.max_priority_fee = core::U256(5);
        dynamic.gas = 21'000;
        dynamic.to = rich;
        dynamic.access_list = {{.address = contract, .keys = {filled<core::Hash32>(1)}}};
        dynamic.v = core::U256(1);
        dynamic.r = core::U256(1);
        dynamic.s = core::U256(2);
        return {create, dynamic};
    }

    std::vector<core::Receipt> receipts() const {
        core::Receipt first;
        first.success = true;
        first.cumulative_gas_used = 60'000;
        first.logs = {
            {.address = contract, .topics = {filled<core::Hash32>(0x77)}, .data = {0xbe, 0xef}},
            {.address = contract, .topics = {}, .data = {}}};
        core::Receipt second;
        second.type = core::TxType::DynamicFee;
        second.cumulative_gas_used = 81'000;
        second.logs = {{.address = rich, .topics = {}, .data = {}}};
        return {first, second};
    }

    void write_block(db::WriteTxn& txn, std::vector<core::Tx> txs,
                     const std::vector<core::Receipt>& receipts) {
        core::Block block;
        core::Header& header = block.header;
        header.number = blocks.size();
        header.timestamp = 1000 + 12 * header.number;
        header.gas_limit = 30'000'000;
        header.gas_used = txs.empty() ? 0 : 81'000;
        header.base_fee = core::U256(1'000'000'000);
        header.withdrawals_root = core::kEmptyTrieRoot;
        header.blob_gas_used = 0;
        header.excess_blob_gas = 0;
        header.parent_beacon_root = core::Hash32{};
        if (!blocks.empty()) header.parent_hash = blocks.back().hash;
        block.txs = std::move(txs);
        block.withdrawals.emplace();
        if (!block.txs.empty()) {
            block.withdrawals->push_back(
                {.index = 1, .validator_index = 2, .address = rich, .amount = 3});
        }
        core::Bytes rlp;
        core::append_block(rlp, block);
        auto sealed = crypto::seal(rlp);
        sealed->senders.assign(block.txs.size(), sender);
        const chain::BlockId id{header.number, sealed->hash};
        blocks.push_back(id);
        if (!block.txs.empty()) tx_hashes = sealed->tx_hashes;
        chain::put_block(txn, tables, *sealed, core::U256(0));
        if (!receipts.empty()) chain::put_receipts(txn, tables, id, receipts);
        chain::put_canonical(txn, tables, id, sealed->tx_hashes);
    }
};

}  // namespace keel::rpc
