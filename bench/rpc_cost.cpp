// What a request costs between its text and the text of its answer, for bench/rpc_cost.py, which
// counts instructions: a chain in memory whose rows are written, not executed; one row of the table
// asked so many times. Usage: keel_rpc_cost ROW COUNT; without arguments: the names of the rows.

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "chain/block_store.hpp"
#include "chain/fork_schedule.hpp"
#include "core/hex.hpp"
#include "crypto/keccak.hpp"
#include "crypto/seal.hpp"
#include "db/open.hpp"
#include "rpc/dispatch.hpp"
#include "rpc/head_signal.hpp"
#include "state/codecs.hpp"

namespace {

using namespace keel;

constexpr size_t kBlocks = 20;
constexpr size_t kTxs = 100;

struct Row {
    std::string_view name;
    std::string body;
    size_t bytes_min;  // of an answer that is as it should be
};

template <class Fixed>
Fixed hashed(std::string_view text, uint64_t number) {
    const core::Hash32 hash = crypto::keccak256(std::string(text) + std::to_string(number));
    return Fixed(hash.view().sub(0, Fixed::kSize));
}

/// Blocks of token transfers: a call of 68 bytes and a log of three topics each.
class Chain {
  public:
    Chain() {
        database_.update([this](db::WriteTxn& txn) {
            write_state(txn);
            for (size_t i = 0; i <= kBlocks; ++i) write_block(txn, i == 0 ? 0 : kTxs);
            chain::put_position(txn, tables_, chain::setting::kHead, head_);
        });
        backend_.database = database_;
        backend_.tables = &tables_;
        backend_.schedule = &schedule_;
        backend_.head_signal = &signal_;
    }

    std::vector<Row> rows() const {
        const auto body = [](std::string_view method, const std::string& params) {
            return R"({"jsonrpc":"2.0","id":1,"method":")" + std::string(method) +
                   R"(","params":[)" + params + "]}";
        };
        const auto quoted = [](core::ByteView bytes) {
            return "\"" + core::to_hex_prefixed(bytes) + "\"";
        };
        const std::string account = quoted(owner_) + R"(,"latest")";
        const std::string call = R"({"to":)" + quoted(token_) + R"(,"data":"0x70a08231"})";
        const std::string tx = quoted(tx_hash_);
        std::string batch = "[";
        for (int i = 0; i < 100; ++i) batch += (i > 0 ? "," : "") + body("eth_getBalance", account);
        return {
            {"eth_blockNumber", body("eth_blockNumber", ""), 38},
            {"eth_getBalance", body("eth_getBalance", account), 38},
            {"block-hashes", body("eth_getBlockByNumber", R"("0xa",false)"), 8'000},
            {"block-full", body("eth_getBlockByNumber", R"("0xa",true)"), 60'000},
            {"eth_getTransactionByHash", body("eth_getTransactionByHash", tx), 700},
            {"eth_getTransactionReceipt", body("eth_getTransactionReceipt", tx), 1'500},
            {"eth_getBlockReceipts", body("eth_getBlockReceipts", R"("0xa")"), 150'000},
            {"eth_call", body("eth_call", call + R"(,"latest")"), 90},
            {"eth_feeHistory", body("eth_feeHistory", R"("0x14","latest",[25,75])"), 1'000},
            {"eth_getLogs", body("eth_getLogs", R"({"fromBlock":"0x5","toBlock":"0xe"})"), 500'000},
            {"batch-of-100", batch + "]", 3'800},
        };
    }

    size_t ask(const Row& row, size_t count) const {
        const rpc::Dispatcher dispatcher(backend_, {"eth"}, {});
        rpc::Exchange exchange;
        rpc::Worker worker;
        std::string text = row.body;
        text.append(rpc::kJsonPadding, ' ');
        size_t bytes = 0;
        for (size_t i = 0; i < count; ++i) {
            static_cast<void>(
                dispatcher.parse(exchange, std::string_view(text).substr(0, row.body.size())));
            dispatcher.run(exchange, worker);
            bytes = exchange.out.size();
            exchange.trim();
        }
        return bytes;
    }

  private:
    void write_state(db::WriteTxn& txn) const {
        core::Bytes row;
        state::append_slim_account(row, {.nonce = 7, .balance = core::U256(5)});
        txn.put(tables_.account, owner_, row);
        // Returns the word in slot 0.
        const core::Bytes code = {0x60, 0x00, 0x54, 0x60, 0x00, 0x52, 0x60, 0x20, 0x60, 0x00, 0xf3};
        core::Account account;
        account.code_hash = crypto::keccak256(code);
        row.clear();
        state::append_slim_account(row, account);
        txn.put(tables_.account, token_, row);
        txn.put(tables_.code, account.code_hash, code);
    }

    void write_block(db::WriteTxn& txn, size_t count) {
        core::Block block;
        core::Header& header = block.header;
        header.number = next_++;
        header.parent_hash = head_.hash;
        header.timestamp = 1000 + 12 * header.number;
        header.gas_limit = 60'000'000;
        header.gas_used = 50'000 * count;
        header.base_fee = core::U256(1'000'000'000);
        header.withdrawals_root = core::kEmptyTrieRoot;
        header.blob_gas_used = 0;
        header.excess_blob_gas = 0;
        header.parent_beacon_root = core::Hash32{};
        block.withdrawals.emplace();
        const core::Bytes data(68, 0x42);
        std::vector<core::Receipt> receipts;
        for (size_t i = 0; i < count; ++i) {
            const uint64_t number = header.number * kTxs + i;
            core::Tx tx;
            tx.type = core::TxType::DynamicFee;
            tx.chain_id = core::U256(1);
            tx.nonce = number;
            tx.max_fee = core::U256(2'000'000'000);
            tx.max_priority_fee = core::U256(500'000'000 + i);
            tx.gas = 100'000;
            tx.to = token_;
            tx.data = data;
            tx.r = core::U256::from_be(hashed<core::Hash32>("r", number));
            tx.s = core::U256::from_be(hashed<core::Hash32>("s", number));
            block.txs.push_back(tx);
            core::Receipt receipt;
            receipt.type = tx.type;
            receipt.success = true;
            receipt.cumulative_gas_used = 50'000 * (i + 1);
            receipt.logs = {
                {.address = token_,
                 .topics = {hashed<core::Hash32>("event", 0), hashed<core::Hash32>("from", number),
                            hashed<core::Hash32>("to", number)},
                 .data = core::Bytes(32, 7)}};
            receipts.push_back(receipt);
        }
        core::Bytes rlp;
        core::append_block(rlp, block);
        auto sealed = crypto::seal(rlp);
        for (size_t i = 0; i < count; ++i) {
            sealed->senders.push_back(hashed<core::Address>("sender", i % 10));
        }
        head_ = {header.number, sealed->hash};
        if (header.number == kBlocks / 2) tx_hash_ = sealed->tx_hashes[kTxs / 2];
        chain::put_block(txn, tables_, *sealed, core::U256(0));
        if (count > 0) chain::put_receipts(txn, tables_, head_, receipts);
        chain::put_canonical(txn, tables_, head_, sealed->tx_hashes);
    }

    const core::Address owner_ = hashed<core::Address>("sender", 0);
    const core::Address token_ = hashed<core::Address>("token", 0);
    db::Database database_ = db::open_ephemeral(state::schema());
    state::Tables tables_{database_};
    chain::ForkSchedule schedule_{*chain::config_of_network("Cancun")};
    rpc::HeadSignal signal_;
    rpc::Backend backend_;
    chain::BlockId head_;
    core::Hash32 tx_hash_;
    uint64_t next_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    const Chain chain;
    const std::vector<Row> rows = chain.rows();
    if (argc == 1) {
        for (const Row& row : rows) std::printf("%s\n", std::string(row.name).c_str());
        return 0;
    }
    const std::string_view name = argv[1];
    const auto row = std::ranges::find(rows, name, &Row::name);
    size_t count = 0;
    if (argc == 3) std::from_chars(argv[2], argv[2] + std::string_view(argv[2]).size(), count);
    if (row == rows.end() || count == 0) {
        static_cast<void>(std::fputs("usage: keel_rpc_cost [ROW COUNT]\n", stderr));
        return 2;
    }
    const size_t bytes = chain.ask(*row, count);
    if (bytes < row->bytes_min) {
        static_cast<void>(std::fprintf(stderr, "%s: an answer of %zu bytes\n", argv[1], bytes));
        return 1;
    }
    return 0;
}
