// Reorganizations at random. Trees of valid and invalid payloads over four forks are given to a
// node in an order that chance makes, parents not first, with forkchoices in between, restarts and,
// where the node has a directory, SIGKILL; whatever has happened, the node must be what a fresh one
// is that was fed the winning chain and nothing else, and its tries those that are made at once.
//
// KEEL_REORG_TREES=N: so many trees (default: a few), KEEL_REORG_FIRST=S: from this seed on
// (default: 0). KEEL_SEED=S: this one alone.

#include <gtest/gtest.h>

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "chain/chain.hpp"
#include "chain/genesis.hpp"
#include "core/hex.hpp"
#include "db/open.hpp"
#include "rpc/dispatch.hpp"
#include "rpc/engine/builder.hpp"
#include "rpc/engine/engine.hpp"
#include "rpc/engine/payloads.hpp"
#include "rpc/pool/pool.hpp"
#include "rpc/testing/payload_json.hpp"
#include "tests/torture/eager_tries.hpp"
#include "tests/torture/reorg_tree.hpp"

namespace keel::tests::reorg {
namespace {

using rpc::engine::PayloadStatus;
using rpc::engine::Status;

constexpr uint64_t kTreesByDefault = 24;
constexpr uint64_t kFixtureEvery = 5;  // each so many-th tree grows on a chain of the fixtures
/// A directory that goes with its owner.
class TemporaryDirectory {
  public:
    TemporaryDirectory() {
        std::string pattern = std::filesystem::temp_directory_path() / "keel-reorg-XXXXXX";
        EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
        path_ = pattern;
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
    const std::filesystem::path& path() const noexcept { return path_; }

  private:
    std::filesystem::path path_;
};

/// A store with what answers from it. Without a backend it is in memory and cannot be reopened.
class Node {
  public:
    explicit Node(const Ground& ground, std::optional<db::Backend> backend = {})
        : backend_kind_(backend) {
        open();
        genesis_hash_ = ground.write_genesis(database);
        start();
    }
    ~Node() {
        stop();
        database.close();
    }
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    /// What a restart leaves: nothing in memory.
    void restart() {
        close();
        reopen();
    }
    bool has_directory() const noexcept { return backend_kind_.has_value(); }
    void close() {
        stop();
        if (backend_kind_) database.close();
    }
    void reopen() {
        if (backend_kind_) open();
        start();
    }
    /// Into the pool what is not mined.
    void send_all() {
        for (const PoolSender& sender : pool_senders()) {
            for (const core::Bytes& raw : sender.raws) static_cast<void>(pool->add(raw));
        }
    }
    /// Hashes that wait, of the senders whose transactions are known here.
    std::string waiting() {
        std::string text;
        for (const PoolSender& sender : pool_senders()) {
            const rpc::pool::Content content = pool->content_of(sender.signer.address);
            for (const auto* part : {&content.pending, &content.queued}) {
                text += part == &content.pending ? " pending" : " queued";
                for (const auto& [address, txs] : *part) {
                    for (const auto& [nonce, tx] : txs) {
                        text += fmt::format(" {}:{}", nonce, core::to_hex_prefixed(tx->hash));
                    }
                }
            }
        }
        return text;
    }
    const Hash32& genesis_hash() const noexcept { return genesis_hash_; }

    std::string ask(const std::string& method, const std::string& params) {
        std::string body =
            R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":)" + params + "}";
        const size_t size = body.size();
        body.append(rpc::kJsonPadding, ' ');
        static_cast<void>(dispatcher_->parse(*exchange_, std::string_view(body).substr(0, size)));
        dispatcher_->run(*exchange_, worker_);
        return std::string(exchange_->out.text());
    }

    db::Database database;
    std::optional<state::Tables> tables;
    std::optional<rpc::engine::Engine> engine;
    std::optional<rpc::pool::Pool> pool;

  private:
    void open() {
        if (!backend_kind_) {
            database = db::open_ephemeral(state::schema());
        } else {
            db::OpenOptions options;
            options.directory = directory_.path();
            options.schema = state::schema();
            database = db::open(*backend_kind_, options);
        }
    }
    void start() {
        tables.emplace(database);
        engine.emplace(database, rpc::engine::Engine::Options{.producer = "reorg"});
        pool.emplace(database, *tables, engine->schedule(), rpc::pool::PoolOptions{});
        backend_.pool = &*pool;
        backend_.database = database;
        backend_.tables = &*tables;
        backend_.schedule = &engine->schedule();
        backend_.engine = &*engine;
        backend_.payloads = &payloads_;
        exchange_.emplace();
        dispatcher_.emplace(backend_, std::vector<std::string>{"eth"}, rpc::DispatchLimits{});
    }
    void stop() {
        exchange_.reset();
        dispatcher_.reset();
        pool.reset();
        engine.reset();
        backend_.database = {};
        tables.reset();
    }

    std::optional<db::Backend> backend_kind_;
    TemporaryDirectory directory_;
    Hash32 genesis_hash_;
    rpc::engine::Payloads payloads_;
    rpc::Backend backend_;
    std::optional<rpc::Dispatcher> dispatcher_;
    std::optional<rpc::Exchange> exchange_;  // may hold a snapshot: gone before the store closes
    rpc::Worker worker_;
};

std::string hex(const Hash32& hash) {
    return core::to_hex_prefixed(hash);
}

/// What one tree does to one node.
class Torture {
  public:
    Torture(const Ground& ground, Tree& tree, Node& node)
        : ground_(ground), tree_(tree), node_(node), random_(tree.random()) {}

    uint64_t kills() const noexcept { return kills_; }
    void run() {
        node_.send_all();
        order_.resize(tree_.blocks.size());
        for (size_t i = 0; i < order_.size(); ++i) order_[i] = i;
        // Nearly in order, so that most have their parents: each may come some places later.
        for (size_t i = 0; i + 1 < order_.size(); ++i) {
            const size_t other = i + below(random_, std::min<size_t>(order_.size() - i, 6));
            std::swap(order_[i], order_[other]);
        }
        const size_t check_every = 4 + below(random_, 12);
        size_t step = 0;
        for (const size_t index : order_) {
            give(index);
            if (below(random_, 3) == 0) choose();
            if (below(random_, 25) == 0) restart();
            if (node_.has_directory() && below(random_, 12) == 0) kill();
            if (below(random_, 10) == 0) give(order_[below(random_, step + 1)]);
            if (++step % check_every == 0 && order_.size() < 100) compare();
            if (testing::Test::HasFailure()) return;
        }
        // All once more, parents first: now each has its verdict.
        for (size_t i = 0; i < tree_.blocks.size(); ++i) {
            give(i);
            EXPECT_TRUE(known_.contains(i) || !tree_.blocks[i].chain_valid) << place(i);
        }
        for (int i = 0; i < 12 && !testing::Test::HasFailure(); ++i) {
            choose();
            if (i % 4 == 3) compare();
        }
        restart();
        compare();
    }

  private:
    std::string place(size_t index) const {
        return fmt::format("seed {}, block {} of depth {}{}", tree_.seed(), index,
                           tree_.blocks[index].depth,
                           tree_.blocks[index].chain_valid ? "" : ", invalid chain");
    }
    Hash32 hash_of(size_t index) const {
        return index == kGenesis ? node_.genesis_hash() : tree_.blocks[index].block.hash;
    }
    /// As latestValidHash tells it.
    Hash32 valid_hash_of(size_t index) const {
        return index == kGenesis && ground_.genesis_is_work ? Hash32{} : hash_of(index);
    }
    bool is_known(size_t index) const { return index == kGenesis || known_.contains(index); }
    void learn(size_t index) {
        for (; index != kGenesis; index = tree_.blocks[index].parent) known_.insert(index);
    }
    /// The last valid one at or above a block.
    size_t last_valid(size_t index) const {
        while (index != kGenesis && !tree_.blocks[index].chain_valid) {
            index = tree_.blocks[index].parent;
        }
        return index;
    }
    bool is_ancestor(size_t of, size_t candidate) const {
        if (candidate == kGenesis) return true;
        for (; of != kGenesis; of = tree_.blocks[of].parent) {
            if (of == candidate) return true;
        }
        return false;
    }
    size_t up(size_t index, size_t steps) const {
        for (; steps > 0 && index != kGenesis; --steps) index = tree_.blocks[index].parent;
        return index;
    }

    void restart() {
        node_.restart();
        node_.send_all();
    }

    /// A call of a process that is killed: a payload, or a forkchoice that is known to be valid.
    struct Step {
        bool is_choice;
        size_t block;
    };
    static char do_step(Node& node, const Step& step, const Tree& tree, const Hash32& hash) {
        if (step.is_choice) {
            const auto answer =
                node.engine->forkchoice_updated({.head = hash, .safe = {}, .finalized = {}});
            return answer && answer->status.is_valid() ? 'V' : 'E';
        }
        auto payload = rpc::engine::payload_of(tree.blocks[step.block].block);
        return node.engine->new_payload(std::move(payload)).is_valid() ? 'V' : 'N';
    }
    [[noreturn]] void be_killed(const std::vector<Step>& steps, int acknowledgements) {
        try {
            node_.reopen();
            for (const Step& step : steps) {
                const char said = do_step(node_, step, tree_, hash_of(step.block));
                if (::write(acknowledgements, &said, 1) != 1) ::_exit(2);
            }
            for (;;) ::pause();
        } catch (...) {
            ::_exit(3);
        }
    }
    /// The node's process ends by SIGKILL somewhere among calls: what was answered holds, and the
    /// call that was not may have been done or not.
    void kill() {
        std::vector<Step> steps;
        for (size_t i = 0; i < 12; ++i) {
            if (below(random_, 3) != 0 || known_.empty()) {
                steps.push_back({false, below(random_, tree_.blocks.size())});
            } else {
                auto known = known_.begin();
                std::advance(known, below(random_, known_.size()));
                steps.push_back({true, *known});
            }
        }
        const uint64_t wanted = below(random_, steps.size());
        const auto delay = std::chrono::microseconds(below(random_, 2000));
        node_.close();
        int ends[2];
        ASSERT_EQ(::pipe(ends), 0);
        const pid_t process = ::fork();
        ASSERT_GE(process, 0);
        if (process == 0) be_killed(steps, ends[1]);
        ::close(ends[1]);
        std::string said;
        char each;
        while (said.size() < wanted && ::read(ends[0], &each, 1) == 1) said += each;
        std::this_thread::sleep_for(delay);
        ::kill(process, SIGKILL);
        int status = 0;
        ASSERT_EQ(::waitpid(process, &status, 0), process);
        while (::read(ends[0], &each, 1) == 1) said += each;
        ::close(ends[0]);
        ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
            << "seed " << tree_.seed() << ", the process ended by itself: " << status;
        node_.reopen();
        learn_from(steps, said);
        node_.send_all();
        ++kills_;
    }
    void learn_from(const std::vector<Step>& steps, std::string_view said) {
        for (size_t i = 0; i < said.size(); ++i) {
            const Step& step = steps[i];
            if (step.is_choice) {
                ASSERT_EQ(said[i], 'V') << place(step.block);
                went_to(step.block, {}, {});
            } else if (said[i] == 'V') {
                ASSERT_TRUE(tree_.blocks[step.block].chain_valid) << place(step.block);
                learn(step.block);
            }
        }
        const db::ReadTxn txn = node_.database.begin_ro();
        const chain::BlockReader blocks(txn, *node_.tables);
        const Hash32 head = blocks.head().value().hash;
        if (head != hash_of(head_)) {
            ASSERT_LT(said.size(), steps.size()) << "seed " << tree_.seed();
            const Step& open = steps[said.size()];
            ASSERT_TRUE(open.is_choice && head == hash_of(open.block))
                << "seed " << tree_.seed() << ": the head that was answered is lost";
            went_to(open.block, {}, {});
        }
        for (const size_t index : known_) {
            ASSERT_TRUE(blocks.id_of(hash_of(index)))
                << place(index) << ": the block that was answered is lost";
        }
    }

    void give(size_t index) {
        const Made& made = tree_.blocks[index];
        const PayloadStatus status = node_.engine->new_payload(rpc::engine::payload_of(made.block));
        const std::string where =
            place(index) + " " + status.validation_error.value_or("") + " newPayload";
        if (is_known(made.parent)) {
            ASSERT_EQ(status.status, made.is_valid ? Status::Valid : Status::Invalid) << where;
        }
        switch (status.status) {
            case Status::Valid:
                ASSERT_TRUE(made.chain_valid) << where;
                ASSERT_EQ(status.latest_valid_hash, made.block.hash) << where;
                learn(index);
                break;
            case Status::Invalid:
                ASSERT_FALSE(made.chain_valid) << where;
                ASSERT_EQ(status.latest_valid_hash, valid_hash_of(last_valid(index))) << where;
                ASSERT_TRUE(status.validation_error) << where;
                break;
            default:
                ASSERT_FALSE(is_known(made.parent)) << where;
                ASSERT_FALSE(known_.contains(index)) << where;
                ASSERT_FALSE(status.latest_valid_hash) << where;
        }
    }

    /// A forkchoice of a random head, with labels that may fit it or not.
    void choose() {
        const size_t count = tree_.blocks.size();
        size_t head = below(random_, 12) == 0 ? kGenesis : below(random_, count);
        if (head != kGenesis && below(random_, 3) != 0) head = last_valid(head);
        const auto label = [&]() -> std::optional<size_t> {
            if (below(random_, 2) == 0) return std::nullopt;
            if (below(random_, 12) == 0) return below(random_, count);
            return up(head, below(random_, 6));
        };
        const auto safe = label();
        const auto finalized = below(random_, 3) == 0 ? label() : std::nullopt;
        rpc::engine::ForkchoiceState state{.head = hash_of(head), .safe = {}, .finalized = {}};
        if (safe) state.safe = hash_of(*safe);
        if (finalized) state.finalized = hash_of(*finalized);
        const auto answer = node_.engine->forkchoice_updated(state);
        const std::string where =
            (head == kGenesis ? fmt::format("seed {}, genesis", tree_.seed()) : place(head)) +
            " forkchoiceUpdated";
        const bool is_valid = head == kGenesis || tree_.blocks[head].chain_valid;
        if (!is_valid) {
            ASSERT_TRUE(answer) << where;
            ASSERT_TRUE(answer->status.status == Status::Invalid ||
                        answer->status.status == Status::Syncing)
                << where;
            return;
        }
        if (answer && answer->status.status == Status::Syncing) {
            ASSERT_FALSE(is_known(head)) << where;
            return;
        }
        if (head != kGenesis) learn(head);
        // Passed over: below the finalized block, with one named.
        if (finalized_ && finalized && head != *finalized_ && is_ancestor(*finalized_, head)) {
            ASSERT_TRUE(answer) << where;
            ASSERT_FALSE(answer->head) << where;
            return;
        }
        const auto fits = [&](const std::optional<size_t>& block) {
            return !block || (is_known(*block) && is_ancestor(head, *block));
        };
        if (!fits(safe) || !fits(finalized)) {
            ASSERT_FALSE(answer) << where;
            ASSERT_EQ(answer.error().code, rpc::Code::InvalidForkchoiceState) << where;
            return;
        }
        ASSERT_TRUE(answer) << where << " " << answer.error().message;
        ASSERT_EQ(answer->status.status, Status::Valid) << where;
        went_to(head, safe, finalized);
        if (below(random_, 4) != 0) node_.pool->follow();
    }

    /// The node's head and labels, where labels that are not named stay if they fit.
    void went_to(size_t head, const std::optional<size_t>& safe,
                 const std::optional<size_t>& finalized) {
        const auto kept = [&](const std::optional<size_t>& now,
                              const std::optional<size_t>& before) {
            if (now) return now;
            return before && is_ancestor(head, *before) ? before : std::nullopt;
        };
        head_ = head;
        safe_ = kept(safe, safe_);
        finalized_ = kept(finalized, finalized_);
    }

    /// The node against one that knows the winning chain alone.
    void compare();
    void compare_tables(const Node& fresh, const std::vector<size_t>& branch) const;
    void compare_answers(Node& fresh, const std::vector<size_t>& branch);

    const Ground& ground_;
    Tree& tree_;
    Node& node_;
    Random& random_;
    std::vector<size_t> order_;
    std::set<size_t> known_;  // executed and found valid
    size_t head_ = kGenesis;
    std::optional<size_t> safe_, finalized_;
    uint64_t kills_ = 0;
};

using Rows = std::vector<std::pair<std::string, std::string>>;

Rows rows_of(const db::Database& database, const db::Table& table) {
    Rows rows;
    database.view([&](const db::ReadTxn& txn) {
        auto cursor = txn.cursor(table);
        for (auto entry = cursor.first(); entry; entry = cursor.next()) {
            rows.emplace_back(entry->key.text(), entry->value.text());
        }
    });
    return rows;
}

void Torture::compare_tables(const Node& fresh, const std::vector<size_t>& branch) const {
    const state::Tables& mine = *node_.tables;
    const state::Tables& other = *fresh.tables;
    const struct {
        const char* name;
        db::Table state::Tables::* table;
    } tables[] = {
        {"Account", &state::Tables::account},
        {"Storage", &state::Tables::storage},
        {"TrieAccount", &state::Tables::trie_account},
        {"TrieStorage", &state::Tables::trie_storage},
        {"AccountChangeSet", &state::Tables::account_change_set},
        {"StorageChangeSet", &state::Tables::storage_change_set},
        {"CanonicalHeader", &state::Tables::canonical_header},
        {"TxLookup", &state::Tables::tx_lookup},
    };
    EXPECT_FALSE(rows_of(node_.database, mine.trie_account).empty());
    for (const auto& each : tables) {
        EXPECT_TRUE(rows_of(node_.database, mine.*each.table) ==
                    rows_of(fresh.database, other.*each.table))
            << "seed " << tree_.seed() << ", table " << each.name << " at depth " << branch.size();
    }
}

void Torture::compare_answers(Node& fresh, const std::vector<size_t>& branch) {
    const auto same = [&](const std::string& method, const std::string& params) {
        EXPECT_EQ(node_.ask(method, params), fresh.ask(method, params))
            << "seed " << tree_.seed() << ", " << method << " " << params;
    };
    for (const char* tag : {"latest", "safe", "finalized"}) {
        same("eth_getBlockByNumber", fmt::format(R"(["{}",false])", tag));
    }
    same("eth_getLogs", R"([{"fromBlock":"0x0","toBlock":"latest"}])");
    same("eth_getLogs",
         fmt::format(R"([{{"fromBlock":"0x1","toBlock":"latest","topics":["0x{:064x}"]}}])",
                     below(random_, 12)));
    for (int i = 0; i < 4; ++i) {
        const uint64_t number = below(random_, branch.size() + 1);
        same("eth_getBlockReceipts", fmt::format(R"(["0x{:x}"])", number));
        same("eth_getBalance",
             fmt::format(R"(["{}","0x{:x}"])",
                         core::to_hex_prefixed(account(below(random_, kAccounts))), number));
        same("eth_getStorageAt",
             fmt::format(R"(["{}","0x{:064x}","0x{:x}"])", core::to_hex_prefixed(contract()),
                         below(random_, 12), number));
        // Of any branch: a transaction that is not canonical has no receipt.
        const Made& any = tree_.blocks[below(random_, tree_.blocks.size())];
        if (!any.block.tx_hashes.empty()) {
            same("eth_getTransactionReceipt",
                 fmt::format(R"(["{}"])", hex(any.block.tx_hashes.front())));
        }
    }
    same("eth_getBlockByNumber", fmt::format(R"(["0x{:x}",false])", branch.size() + 1));
    fresh.send_all();
    EXPECT_EQ(node_.waiting(), fresh.waiting()) << "seed " << tree_.seed();
}

void Torture::compare() {
    std::vector<size_t> branch;
    for (size_t at = head_; at != kGenesis; at = tree_.blocks[at].parent) branch.push_back(at);
    std::ranges::reverse(branch);
    Node fresh(ground_);
    for (const size_t index : branch) {
        const PayloadStatus status =
            fresh.engine->new_payload(rpc::engine::payload_of(tree_.blocks[index].block));
        ASSERT_TRUE(status.is_valid()) << place(index) << " on a fresh node";
    }
    rpc::engine::ForkchoiceState state{.head = hash_of(head_), .safe = {}, .finalized = {}};
    if (safe_) state.safe = hash_of(*safe_);
    if (finalized_) state.finalized = hash_of(*finalized_);
    ASSERT_TRUE(fresh.engine->forkchoice_updated(state));
    compare_tables(fresh, branch);
    compare_answers(fresh, branch);
    if (branch.empty()) return;
    expect_eager_tries(node_.database, *node_.tables,
                       tree_.blocks[head_].block.block.header.state_root, place(head_));
}

uint64_t number_in(const char* variable, uint64_t otherwise) {
    const char* const text = std::getenv(variable);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(ReorgTorture, a_node_is_what_a_fresh_one_is_that_was_fed_the_winning_chain) {
    const bool one = std::getenv("KEEL_SEED") != nullptr;
    const uint64_t first = number_in("KEEL_SEED", number_in("KEEL_REORG_FIRST", 0));
    const uint64_t count = one ? 1 : number_in("KEEL_REORG_TREES", kTreesByDefault);
    const Ground own = own_ground();
    const std::optional<Ground> fixture = fixture_ground();
    uint64_t trees = 0;
    uint64_t on_fixture = 0;
    uint64_t blocks = 0;
    uint64_t kills = 0;
    size_t deepest = 0;
    for (uint64_t seed = first; seed < first + count; ++seed) {
        const bool grows_on_fixture = fixture && seed % kFixtureEvery == 2;
        const Ground& ground = grows_on_fixture ? *fixture : own;
        Tree tree(seed, ground);
        // Most in memory; some where a restart closes the directory and opens it again.
        std::optional<db::Backend> backend;
        if (seed % 8 == 3) backend = db::Backend::Mem;
        if (seed % 8 == 7) backend = db::Backend::Lmdb;
        Node node(ground, backend);
        Torture torture(ground, tree, node);
        torture.run();
        kills += torture.kills();
        ++trees;
        if (grows_on_fixture) ++on_fixture;
        blocks += tree.blocks.size();
        for (const Made& made : tree.blocks) deepest = std::max(deepest, made.depth);
        if (HasFailure()) {
            ADD_FAILURE() << "replay: KEEL_SEED=" << seed;
            break;
        }
    }
    fmt::print(
        "{} trees ({} on a chain of the fixtures), {} payloads, deepest {}, {} times killed\n",
        trees, on_fixture, blocks, deepest, kills);
}

}  // namespace
}  // namespace keel::tests::reorg
