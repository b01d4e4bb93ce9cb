// Calls of the Engine API, one a line, on the chain of testdata as it stands at one of several
// blocks. Every input begins with a store of its own, an image that was made when the process
// began.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chain/chain.hpp"
#include "chain/genesis.hpp"
#include "core/files.hpp"
#include "core/hex.hpp"
#include "db/open.hpp"
#include "db/testing/memory_files.hpp"
#include "fuzz/fuzz.hpp"
#include "rpc/dispatch.hpp"
#include "rpc/engine/engine.hpp"
#include "rpc/engine/payloads.hpp"
#include "rpc/pool/pool.hpp"
#include "rpc/testing/payload_json.hpp"
#include "state/tables.hpp"

using namespace keel;

namespace {

constexpr char kImagePath[] = "/store/store.img";
// Blocks before Paris, Shanghai, Cancun, Prague, Osaka and BPO2.
constexpr std::array<uint64_t, 6> kHeads = {35, 38, 42, 47, 53, 62};
constexpr size_t kCallsMax = 24;

core::Bytes read(const std::string& name) {
    core::SystemFiles files;
    return core::read_file(files, std::string(KEEL_SOURCE_DIR) + "/testdata/" + name);
}

std::vector<crypto::SealedBlock> main_chain() {
    const core::Bytes file = read("chains/main.rlp");
    std::vector<crypto::SealedBlock> blocks;
    for (core::RlpReader rest{core::ByteView(file)}; !rest.at_end();) {
        blocks.push_back(crypto::seal(rest.item()->to_bytes()).value());
    }
    return blocks;
}

db::OpenOptions options_on(db::testing::MemoryFiles& files) {
    db::OpenOptions options;
    options.directory = "/store";
    options.durability = db::Durability::Close;
    options.files = &files;
    options.reserve_bytes = uint64_t{1} << 28;
    options.schema = state::schema();
    return options;
}

core::Bytes make_image(std::vector<crypto::SealedBlock>& blocks, uint64_t head) {
    db::testing::MemoryFiles files;
    files.make_directory("/store");
    const db::Database database = db::open(db::Backend::Mem, options_on(files));
    const core::Bytes text = read("genesis/main.json");
    chain::write_genesis(database, chain::parse_genesis(core::ByteView(text).text(), "main.json"));
    chain::Chain chain(database, {});
    database.update([&](db::WriteTxn& txn) {
        for (uint64_t number = 1; number <= head; ++number) {
            fuzz::require(
                chain.insert_block(txn, blocks.at(number - 1), chain::HeadRule::Import).has_value(),
                "a block of testdata is valid");
        }
        chain.on_commit();
    });
    database.close();
    return files.contents().at(kImagePath);
}

struct Base {
    std::vector<crypto::SealedBlock> blocks = main_chain();  // from number 1 on
    std::array<core::Bytes, kHeads.size()> images;

    Base() {
        for (size_t i = 0; i < kHeads.size(); ++i) images[i] = make_image(blocks, kHeads[i]);
    }
};

const Base& base() {
    static const Base made;
    return made;
}

/// An engine without a transport, on a store of its own.
class Server {
  public:
    explicit Server(size_t which) {
        files_.make_directory("/store");
        files_.put(kImagePath, base().images[which]);
        database_ = db::open(db::Backend::Mem, options_on(files_));
        tables_.emplace(database_);
        engine_.emplace(database_, rpc::engine::Engine::Options{.producer = "fuzz"});
        pool_.emplace(database_, *tables_, engine_->schedule(), rpc::pool::PoolOptions{});
        backend_.database = database_;
        backend_.tables = &*tables_;
        backend_.schedule = &engine_->schedule();
        backend_.engine = &*engine_;
        backend_.payloads = &payloads_;
        backend_.pool = &*pool_;
        backend_.call_gas_cap = 200'000;
        backend_.on_fault = [](std::string_view what) {
            std::fprintf(stderr, "%.*s\n", static_cast<int>(what.size()), what.data());
            fuzz::require(false, "a request ends in an answer, not in a fault");
        };
        dispatcher_.emplace(backend_, std::vector<std::string>{"engine", "eth"},
                            rpc::DispatchLimits{});
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server() {
        dispatcher_.reset();
        pool_.reset();
        engine_.reset();
    }

    std::string ask(std::string body) {
        const size_t size = body.size();
        body.append(rpc::kJsonPadding, 'z');
        (void)dispatcher_->parse(exchange_, std::string_view(body).substr(0, size));
        dispatcher_->run(exchange_, worker_);
        std::string answer(exchange_.out.text());
        const size_t answered = answer.size();
        if (answered != 0) {
            answer.append(rpc::kJsonPadding, 'z');
            const auto verdict = read_back_.parse(std::string_view(answer).substr(0, answered));
            fuzz::require(verdict == rpc::JsonVerdict::Ok, "an answer is JSON");
            answer.resize(answered);
        }
        return answer;
    }
    chain::BlockId head() const {
        const db::ReadTxn txn = database_.begin_ro();
        return chain::BlockReader(txn, *tables_).head().value();
    }

  private:
    db::testing::MemoryFiles files_;
    db::Database database_;
    std::optional<state::Tables> tables_;
    std::optional<rpc::engine::Engine> engine_;
    std::optional<rpc::pool::Pool> pool_;
    rpc::engine::Payloads payloads_;
    rpc::Backend backend_;
    std::optional<rpc::Dispatcher> dispatcher_;
    rpc::Exchange exchange_;
    rpc::JsonIn read_back_;
    rpc::Worker worker_;
};

enum class Said { Other, Valid, Invalid };

Said said(std::string_view answer) {
    if (answer.find(R"("status":"VALID")") != answer.npos) return Said::Valid;
    if (answer.find(R"("status":"INVALID")") != answer.npos) return Said::Invalid;
    return Said::Other;
}

/// A payload with the hash that its fields have, so that they are looked at; true: it had another.
bool mend_hash(std::string& body, std::string_view answer) {
    constexpr std::string_view kGot = ", got ";
    constexpr std::string_view kMember = R"("blockHash":"0x)";
    constexpr size_t kDigits = 64;
    if (answer.find("blockhash mismatch") == answer.npos) return false;
    const size_t got = answer.find(kGot), member = body.find(kMember);
    if (got == answer.npos || member == body.npos) return false;
    const size_t at = member + kMember.size();
    if (body.size() < at + kDigits) return false;
    body.replace(at, kDigits, answer.substr(got + kGot.size(), kDigits));
    return true;
}

bool is_single(std::string_view body, std::string_view method) {
    return body.starts_with('{') && body.find(method) != body.npos;
}

std::string call(const std::string& method, const std::string& params) {
    return R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":)" + params + "}\n";
}

std::string hex(core::ByteView bytes) {
    return core::to_hex_prefixed(bytes);
}

std::string choice(const core::Hash32& head, const core::Hash32& safe) {
    return R"({"headBlockHash":")" + hex(head) + R"(","safeBlockHash":")" + hex(safe) +
           R"(","finalizedBlockHash":")" + hex(core::Hash32{}) + R"("})";
}

/// Payloads behind a head, each made the head; then a block is built there, and asked for.
std::string seed_behind(size_t which) {
    const auto& blocks = base().blocks;
    std::string text(1, static_cast<char>(which));
    const crypto::SealedBlock* last = &blocks.at(kHeads[which] - 1);
    unsigned version = 1;
    for (uint64_t number = kHeads[which] + 1; number <= kHeads[which] + 4; ++number) {
        const crypto::SealedBlock& next = blocks.at(number - 1);
        const core::Header& header = next.block.header;
        version = header.requests_hash ? 4 : header.blob_gas_used ? 3 : 2;
        const unsigned choosing = std::min(version, 3U);
        text += call("engine_newPayloadV" + std::to_string(version),
                     rpc::engine::payload_json(next, version));
        if (header.requests_hash && *header.requests_hash != rpc::engine::no_requests_hash()) break;
        text += call("engine_forkchoiceUpdatedV" + std::to_string(choosing),
                     "[" + choice(next.hash, last->hash) + ",null]");
        last = &next;
    }
    const unsigned choosing = std::min(version, 3U);
    std::string attributes = R"({"timestamp":")" +
                             fmt::format("{:#x}", last->block.header.timestamp + 1) +
                             R"(","prevRandao":")" + hex(core::Hash32{}) +
                             R"(","suggestedFeeRecipient":"0x)" + std::string(40, 'b') + "\"";
    if (last->block.withdrawals) attributes += R"(,"withdrawals":[])";
    if (choosing == 3) attributes += R"(,"parentBeaconBlockRoot":")" + hex(core::Hash32{}) + "\"";
    const std::string build =
        call("engine_forkchoiceUpdatedV" + std::to_string(choosing),
             "[" + choice(last->hash, core::Hash32{}) + "," + attributes + "}]");
    text += build;
    // The id of what is built follows from the wish.
    Server server(which);
    std::string answer;
    size_t valid = 0;
    for (size_t at = 1; at < text.size();) {
        const size_t end = text.find('\n', at);
        answer = server.ask(text.substr(at, end - at));
        if (said(answer) == Said::Valid) ++valid;
        at = end + 1;
    }
    const std::string key = R"("payloadId":")";
    const size_t id_at = answer.find(key);
    fuzz::require(valid >= 3 && id_at != answer.npos, "payloads of testdata are valid");
    const std::string id = "[\"" + answer.substr(id_at + key.size(), 18) + "\"]";
    for (const char* const each : {"1", "2", "3", "4", "5"}) {
        text += call(std::string("engine_getPayloadV") + each, id);
    }
    const std::string hashes = "[[\"" + hex(last->hash) + "\",\"" + hex(core::Hash32{}) + "\"]]";
    text += call("engine_getPayloadBodiesByHashV1", hashes);
    text += call("engine_getPayloadBodiesByRangeV1", R"(["0x20","0x3"])");
    for (const char* const each : {"1", "2", "3"}) {
        text += call(std::string("engine_getBlobsV") + each, hashes);
    }
    text += call("engine_exchangeCapabilities", "[[]]");
    text += call("engine_getClientVersionV1", "[{}]");
    return text;
}

void write_seeds(const std::string& path) {
    const auto write = [&](const std::string& name, const std::string& text) {
        std::ofstream out(path + name, std::ios::binary);
        out << text;
        out.close();
        if (!out) std::exit(1);
    };
    for (size_t which = 0; which < kHeads.size(); ++which) {
        const std::string whole = seed_behind(which);
        write("-" + std::to_string(which), whole);
        // The payload of the next block alone.
        write("-" + std::to_string(which) + "-next", whole.substr(0, whole.find('\n')));
    }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
    constexpr std::string_view kFlag = "--write-seed=";
    for (int i = 1; i < *argc; ++i) {
        const std::string_view argument = (*argv)[i];
        if (!argument.starts_with(kFlag)) continue;
        write_seeds(std::string(argument.substr(kFlag.size())));
        std::exit(0);
    }
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 1) return 0;
    Server server(data[0] % kHeads.size());
    std::string_view rest(reinterpret_cast<const char*>(data + 1), size - 1);
    std::vector<std::pair<std::string, Said>> payloads;
    for (size_t calls = 0; !rest.empty() && calls < kCallsMax; ++calls) {
        const size_t end = std::min(rest.find('\n'), rest.size());
        std::string body(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
        const chain::BlockId before = server.head();
        std::string answer = server.ask(body);
        const bool is_payload = is_single(body, "engine_newPayload");
        if (is_payload && mend_hash(body, answer)) answer = server.ask(body);
        if (!is_payload || is_single(body, "engine_forkchoice")) continue;
        fuzz::require(server.head() == before, "a payload moves no head");
        payloads.emplace_back(std::move(body), said(answer));
    }
    for (const auto& [body, first] : payloads) {
        const Said again = said(server.ask(body));
        fuzz::require(first != Said::Valid || again == Said::Valid, "a valid payload stays valid");
        fuzz::require(first != Said::Invalid || again != Said::Valid,
                      "an invalid payload becomes no valid one");
    }
    return 0;
}
