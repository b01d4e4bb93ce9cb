#include "rpc/dispatch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <utility>

#include "core/clock.hpp"
#include "core/fault.hpp"
#include "rpc/dev/methods.hpp"
#include "rpc/duration.hpp"
#include "rpc/eth/execution.hpp"
#include "rpc/head_signal.hpp"
#include "rpc/methods.hpp"
#include "rpc/metrics.hpp"
#include "rpc/stream.hpp"

namespace keel::rpc {
namespace {

constexpr size_t kMethodNameBytesMax = 2048;  // geth
constexpr size_t kKeepBytes = size_t{1} << 20;
// A batch of more items than this is not read aloud on the thread that serves connections.
constexpr size_t kInlineBatchItems = 16;

struct Row {
    std::string_view name;
    Method method;
    Cost cost;
};

constexpr std::array kMethods = {
    Row{"admin_addPeer", admin::add_peer, Cost::Cheap},
    Row{"admin_datadir", admin::datadir, Cost::Cheap},
    Row{"admin_nodeInfo", admin::node_info, Cost::State},
    Row{"admin_peers", admin::peers, Cost::Cheap},
    Row{"debug_accountRange", debug::account_range, Cost::Heavy},
    Row{"debug_dumpBlock", debug::dump_block, Cost::Heavy},
    Row{"debug_getBadBlocks", debug::get_bad_blocks, Cost::State},
    Row{"debug_getRawBlock", debug::get_raw_block, Cost::State},
    Row{"debug_getRawBlockAccessList", debug::get_raw_block_access_list, Cost::Cheap},
    Row{"debug_getRawHeader", debug::get_raw_header, Cost::Cheap},
    Row{"debug_getRawReceipts", debug::get_raw_receipts, Cost::State},
    Row{"debug_getRawTransaction", debug::get_raw_transaction, Cost::Cheap},
    Row{"debug_intermediateRoots", debug::intermediate_roots, Cost::Heavy},
    Row{"debug_setHead", debug::set_head, Cost::Writer},
    Row{"debug_storageRangeAt", debug::storage_range_at, Cost::Heavy},
    Row{"debug_traceBlock", debug::trace_block, Cost::Heavy},
    Row{"debug_traceBlockByHash", debug::trace_block_by_hash, Cost::Heavy},
    Row{"debug_traceBlockByNumber", debug::trace_block_by_number, Cost::Heavy},
    Row{"debug_traceCall", debug::trace_call, Cost::Heavy},
    Row{"debug_traceTransaction", debug::trace_transaction, Cost::Heavy},
    Row{"engine_exchangeCapabilities", engine::exchange_capabilities, Cost::Cheap},
    Row{"engine_forkchoiceUpdatedV1", engine::forkchoice_updated_v1, Cost::Writer},
    Row{"engine_forkchoiceUpdatedV2", engine::forkchoice_updated_v2, Cost::Writer},
    Row{"engine_forkchoiceUpdatedV3", engine::forkchoice_updated_v3, Cost::Writer},
    Row{"engine_getBlobsV1", engine::get_blobs_v1, Cost::State},
    Row{"engine_getBlobsV2", engine::get_blobs_v2, Cost::State},
    Row{"engine_getBlobsV3", engine::get_blobs_v3, Cost::State},
    Row{"engine_getClientVersionV1", engine::get_client_version_v1, Cost::Cheap},
    Row{"engine_getPayloadBodiesByHashV1", engine::get_payload_bodies_by_hash_v1, Cost::State},
    Row{"engine_getPayloadBodiesByRangeV1", engine::get_payload_bodies_by_range_v1, Cost::State},
    Row{"engine_getPayloadV1", engine::get_payload_v1, Cost::State},
    Row{"engine_getPayloadV2", engine::get_payload_v2, Cost::State},
    Row{"engine_getPayloadV3", engine::get_payload_v3, Cost::State},
    Row{"engine_getPayloadV4", engine::get_payload_v4, Cost::State},
    Row{"engine_getPayloadV5", engine::get_payload_v5, Cost::State},
    Row{"engine_newPayloadV1", engine::new_payload_v1, Cost::Writer},
    Row{"engine_newPayloadV2", engine::new_payload_v2, Cost::Writer},
    Row{"engine_newPayloadV3", engine::new_payload_v3, Cost::Writer},
    Row{"engine_newPayloadV4", engine::new_payload_v4, Cost::Writer},
    Row{"eth_accounts", eth::accounts, Cost::Cheap},
    Row{"eth_baseFee", eth::base_fee, Cost::Cheap},
    Row{"eth_blobBaseFee", eth::blob_base_fee, Cost::Cheap},
    Row{"eth_blockNumber", eth::block_number, Cost::Cheap},
    Row{"eth_call", eth::call, Cost::State},
    Row{"eth_capabilities", eth::capabilities, Cost::Cheap},
    Row{"eth_chainId", eth::chain_id, Cost::Cheap},
    Row{"eth_coinbase", eth::coinbase, Cost::Cheap},
    Row{"eth_config", eth::config, Cost::Cheap},
    Row{"eth_createAccessList", eth::create_access_list, Cost::State},
    Row{"eth_estimateGas", eth::estimate_gas, Cost::State},
    Row{"eth_feeHistory", eth::fee_history, Cost::State},
    Row{"eth_fillTransaction", eth::fill_transaction, Cost::State},
    Row{"eth_gasPrice", eth::gas_price, Cost::State},
    Row{"eth_getBalance", eth::get_balance, Cost::Cheap},
    Row{"eth_getBlockAccessList", eth::get_block_access_list, Cost::Cheap},
    Row{"eth_getBlockByHash", eth::get_block_by_hash, Cost::Cheap},
    Row{"eth_getBlockByNumber", eth::get_block_by_number, Cost::Cheap},
    Row{"eth_getBlockReceipts", eth::get_block_receipts, Cost::State},
    Row{"eth_getBlockTransactionCountByHash", eth::get_block_transaction_count_by_hash,
        Cost::Cheap},
    Row{"eth_getBlockTransactionCountByNumber", eth::get_block_transaction_count_by_number,
        Cost::Cheap},
    Row{"eth_getCode", eth::get_code, Cost::Cheap},
    Row{"eth_getFilterChanges", eth::get_filter_changes, Cost::State},
    Row{"eth_getFilterLogs", eth::get_filter_logs, Cost::State},
    Row{"eth_getHeaderByHash", eth::get_header_by_hash, Cost::Cheap},
    Row{"eth_getHeaderByNumber", eth::get_header_by_number, Cost::Cheap},
    Row{"eth_getLogs", eth::get_logs, Cost::State},
    Row{"eth_getProof", eth::get_proof, Cost::State},
    Row{"eth_getRawTransactionByBlockHashAndIndex",
        eth::get_raw_transaction_by_block_hash_and_index, Cost::Cheap},
    Row{"eth_getRawTransactionByBlockNumberAndIndex",
        eth::get_raw_transaction_by_block_number_and_index, Cost::Cheap},
    Row{"eth_getRawTransactionByHash", eth::get_raw_transaction_by_hash, Cost::Cheap},
    Row{"eth_getStorageAt", eth::get_storage_at, Cost::Cheap},
    Row{"eth_getStorageValues", eth::get_storage_values, Cost::State},
    Row{"eth_getTransactionByBlockHashAndIndex", eth::get_transaction_by_block_hash_and_index,
        Cost::Cheap},
    Row{"eth_getTransactionByBlockNumberAndIndex", eth::get_transaction_by_block_number_and_index,
        Cost::Cheap},
    Row{"eth_getTransactionByHash", eth::get_transaction_by_hash, Cost::Cheap},
    Row{"eth_getTransactionCount", eth::get_transaction_count, Cost::Cheap},
    Row{"eth_getTransactionReceipt", eth::get_transaction_receipt, Cost::Cheap},
    Row{"eth_getUncleByBlockHashAndIndex", eth::get_uncle_by_block_hash_and_index, Cost::Cheap},
    Row{"eth_getUncleByBlockNumberAndIndex", eth::get_uncle_by_block_number_and_index, Cost::Cheap},
    Row{"eth_getUncleCountByBlockHash", eth::get_uncle_count_by_block_hash, Cost::Cheap},
    Row{"eth_getUncleCountByBlockNumber", eth::get_uncle_count_by_block_number, Cost::Cheap},
    Row{"eth_maxPriorityFeePerGas", eth::max_priority_fee_per_gas, Cost::State},
    Row{"eth_newBlockFilter", eth::new_block_filter, Cost::Cheap},
    Row{"eth_newFilter", eth::new_filter, Cost::Cheap},
    Row{"eth_newPendingTransactionFilter", eth::new_pending_transaction_filter, Cost::Cheap},
    Row{"eth_sendRawTransaction", eth::send_raw_transaction, Cost::State},
    Row{"eth_sendRawTransactionSync", eth::send_raw_transaction_sync, Cost::Waiting},
    Row{"eth_simulateV1", eth::simulate_v1, Cost::State},
    Row{"eth_subscribe", eth::subscribe, Cost::Cheap},
    Row{"eth_syncing", eth::syncing, Cost::Cheap},
    Row{"eth_uninstallFilter", eth::uninstall_filter, Cost::Cheap},
    Row{"eth_unsubscribe", eth::unsubscribe, Cost::Cheap},
    Row{"net_listening", net::listening, Cost::Cheap},
    Row{"net_peerCount", net::peer_count, Cost::Cheap},
    Row{"net_version", net::version, Cost::Cheap},
    Row{"rpc_modules", rpc_modules, Cost::Cheap},
    Row{"testing_buildBlockV1", testing_api::build_block_v1, Cost::State},
    Row{"testing_commitBlockV1", testing_api::commit_block_v1, Cost::Writer},
    Row{"txpool_content", txpool::content, Cost::State},
    Row{"txpool_contentFrom", txpool::content_from, Cost::State},
    Row{"txpool_inspect", txpool::inspect, Cost::State},
    Row{"txpool_status", txpool::status, Cost::State},
    Row{"web3_clientVersion", web3::client_version, Cost::Cheap},
    Row{"web3_sha3", web3::sha3, Cost::Cheap},
};

// What --http.api may name, whether or not it has methods yet.
constexpr std::array<std::string_view, 8> kNamespaces = {"eth",    "net",   "web3",    "debug",
                                                         "txpool", "admin", "testing", "rpc"};

std::string_view namespace_of(std::string_view method) {
    return method.substr(0, method.find('_'));
}

/// The parts of a JSON-RPC request object; the last of several members of a name counts.
struct Envelope {
    std::optional<JsonValue> version, id, method, params;

    explicit Envelope(JsonValue object) {
        for (const JsonValue member : object) {
            const std::string_view key = member.key();
            if (key == "jsonrpc") {
                version = member;
            } else if (key == "id") {
                id = member;
            } else if (key == "method") {
                method = member;
            } else if (key == "params") {
                params = member;
            }
        }
    }
    bool has_valid_id() const { return id && id->is_scalar(); }
    /// As it was sent.
    std::string_view id_token() const { return has_valid_id() ? id->raw() : "null"; }
    bool is_call() const {
        return version && version->is(JsonKind::String) && version->text() == "2.0" && method &&
               method->is(JsonKind::String) && method->text().size() <= kMethodNameBytesMax &&
               (!id || has_valid_id());
    }
};

bool is_subscription(std::string_view method) {
    return method.ends_with("_subscribe") || method.ends_with("_unsubscribe");
}

Error parse_error(JsonVerdict verdict) {
    switch (verdict) {
        case JsonVerdict::TooDeep:
            return {.code = Code::InvalidRequest,
                    .message = fmt::format("nested deeper than {} levels", kJsonDepthMax)};
        case JsonVerdict::TooManyValues:
            return {.code = Code::InvalidRequest,
                    .message = fmt::format("more than {} values", kJsonValuesMax)};
        case JsonVerdict::Ok:
        case JsonVerdict::Malformed:
            break;
    }
    return {.code = Code::ParseError, .message = "parse error"};
}

Error too_large() {
    return {.code = Code::ResponseTooLarge, .message = "response too large"};
}

/// A call for as long as it lives.
class Counted {
  public:
    /// Null: it is not counted.
    Counted(Metrics* metrics, Metrics::Method* method) : metrics_(metrics), method_(method) {
        if (method_ == nullptr) return;
        method_->at_work.fetch_add(1, std::memory_order_relaxed);
        began_ = std::chrono::steady_clock::now();
    }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    ~Counted() {
        if (method_ == nullptr) return;
        const auto taken = std::chrono::steady_clock::now() - began_;
        method_->at_work.fetch_sub(1, std::memory_order_relaxed);
        metrics_->done(*method_,
                       static_cast<uint64_t>(
                           std::chrono::duration_cast<std::chrono::nanoseconds>(taken).count()),
                       has_succeeded_);
    }
    void succeed() const noexcept { has_succeeded_ = true; }

  private:
    Metrics* const metrics_;
    Metrics::Method* const method_;
    std::chrono::steady_clock::time_point began_;
    mutable bool has_succeeded_ = false;
};

void write_head(JsonOut& out, std::string_view id) {
    if (out.size() > 0 && out.text().back() != '[') out.raw(",");
    out.raw(R"({"jsonrpc":"2.0","id":)");
    out.raw(id);
}

void write_error_member(JsonOut& out, const Error& error) {
    out.raw(R"(,"error":{"code":)");
    std::array<char, 16> digits{};
    const auto end =
        fmt::format_to_n(digits.begin(), digits.size(), "{}", std::to_underlying(error.code));
    out.raw({digits.data(), end.size});
    out.raw(R"(,"message":)");
    out.string(error.message);
    if (error.data) out.data("data", *error.data);
    out.raw("}}");
}

}  // namespace

evm::Workspace& Worker::workspace() {
    if (!workspace_) workspace_ = std::make_unique<evm::Workspace>();
    return *workspace_;
}

state::Journal& Worker::journal() {
    if (!journal_) journal_ = std::make_unique<state::Journal>();
    return *journal_;
}

Snapshot& Call::snapshot() const {
    if (!shared_snapshot) {
        shared_snapshot.emplace(
            backend.database, *backend.tables,
            backend.head_signal == nullptr ? nullptr : &backend.head_signal->facts());
    }
    return *shared_snapshot;
}

void Exchange::trim() {
    in.trim();
    out.clear(kKeepBytes);
}

struct Dispatcher::Request {
    Worker& worker;
    JsonOut& out;
    Exchange* exchange;              // null: nobody can subscribe
    Stream* stream = nullptr;        // null: the answer goes as a whole
    const Caller* caller = nullptr;  // null: waits
    std::optional<Snapshot> snapshot;
    uint64_t deadline_ms = UINT64_MAX;
    bool is_batch = false;
    // What was looked up for the call before: those of a batch are of one method mostly.
    std::string_view last_name = {};
    const Entry* last_entry = nullptr;
    Metrics::Method* last_counted = nullptr;
};

Dispatcher::Dispatcher(const Backend& backend, std::vector<std::string> namespaces,
                       DispatchLimits limits)
    : backend_(backend), limits_(limits), namespaces_(std::move(namespaces)) {
    for (const std::string& name : namespaces_) {
        // Only a listener that has an engine serves its methods.
        if (name == "engine" && backend.engine != nullptr) continue;
        if (std::ranges::find(kNamespaces, name) == kNamespaces.end()) {
            throw core::Fault(core::FaultKind::Usage,
                              fmt::format("unknown namespace \"{}\"; there are {}", name,
                                          fmt::join(kNamespaces, ", ")));
        }
    }
    for (const Row& row : kMethods) {
        if (std::ranges::find(namespaces_, namespace_of(row.name)) != namespaces_.end()) {
            methods_.emplace(row.name, Entry{.method = row.method, .cost = row.cost});
        }
    }
    if (backend.solo == nullptr) return;
    for (const dev::Row& row : dev::methods()) {
        methods_.emplace(row.name, Entry{.method = row.method, .cost = row.cost});
    }
}

Cost Dispatcher::parse(Exchange& exchange, std::string_view body) const {
    exchange.out.clear();
    exchange.verdict = exchange.in.parse(body);
    if (exchange.verdict != JsonVerdict::Ok) return Cost::Cheap;
    const JsonValue root = exchange.in.root();
    if (!root.is(JsonKind::Array)) return cost_of(root);
    if (root.size() > limits_.batch_items_max) return Cost::Cheap;
    Cost cost = root.size() > kInlineBatchItems ? Cost::State : Cost::Cheap;
    std::string_view last;
    for (const JsonValue item : root) {
        const auto method = item.member("method");
        if (method && method->is(JsonKind::String) && method->text() == last) continue;
        if (method && method->is(JsonKind::String)) last = method->text();
        cost = std::max(cost, cost_of(item));
    }
    return cost;
}

void Dispatcher::run(Exchange& exchange, Worker& worker) const {
    JsonOut& out = exchange.out;
    if (exchange.verdict != JsonVerdict::Ok) {
        write_error(out, "null", parse_error(exchange.verdict));
        return;
    }
    Request request{.worker = worker,
                    .out = out,
                    .exchange = exchange.subscriber == nullptr ? nullptr : &exchange,
                    .stream = nullptr,
                    .caller = exchange.caller,
                    .snapshot = {},
                    .deadline_ms = core::monotonic_coarse_ms() + limits_.request_ms_max,
                    .is_batch = false};
    const JsonValue root = exchange.in.root();
    if (root.is(JsonKind::Array)) {
        request.is_batch = true;
        run_batch(request, root);
    } else {
        request.stream = exchange.stream;
        run_item(request, root);
    }
}

Cost Dispatcher::cost_of(JsonValue item) const {
    const auto method = item.member("method");
    if (!method || !method->is(JsonKind::String)) return Cost::Cheap;
    const auto found = methods_.find(method->text());
    return found == methods_.end() ? Cost::Cheap : found->second.cost;
}

void Dispatcher::run_batch(Request& request, JsonValue items) const {
    JsonOut& out = request.out;
    if (items.size() == 0) {
        write_error(out, "null", {.code = Code::InvalidRequest, .message = "empty batch"});
        return;
    }
    out.raw("[");
    bool any = false;
    if (items.size() > limits_.batch_items_max) {
        const JsonValue first = *items.begin();
        const bool is_object = first.is(JsonKind::Object);
        write_error(out, is_object ? Envelope(first).id_token() : "null",
                    {.code = Code::InvalidRequest, .message = "batch too large"});
        any = true;
    } else {
        for (const JsonValue item : items) any |= run_item(request, item);
    }
    if (any) {
        out.raw("]");
    } else {
        out.truncate(0);
    }
}

bool Dispatcher::run_item(Request& request, JsonValue item) const {
    JsonOut& out = request.out;
    if (!item.is(JsonKind::Object)) {
        write_error(out, "null", {.code = Code::InvalidRequest, .message = "invalid request"});
        return true;
    }
    const Envelope envelope(item);
    if (!envelope.is_call()) {
        write_error(out, envelope.id_token(),
                    {.code = Code::InvalidRequest, .message = "invalid request"});
        return true;
    }
    const size_t before = out.size();
    if (before > limits_.batch_bytes_max) {
        if (!envelope.id) return false;
        write_error(out, envelope.id_token(), too_large());
        return true;
    }
    if (request.is_batch && core::monotonic_coarse_ms() >= request.deadline_ms) {
        if (!envelope.id) return false;
        write_error(out, envelope.id_token(),
                    {.code = Code::TimedOut,
                     .message = fmt::format("request timed out (limit {} for a batch)",
                                            duration_text(limits_.request_ms_max))});
        return true;
    }
    write_head(out, envelope.id_token());
    const size_t after_head = out.size();
    out.raw(R"(,"result":)");
    const Answer<void> answer = invoke(request, envelope.method->text(), envelope.params);
    if (request.stream != nullptr && request.stream->has_begun()) {
        if (answer) {
            out.raw("}");
        } else {
            request.stream->break_off();
        }
        return true;
    }
    if (!envelope.id) {
        out.truncate(before);
        return false;
    }
    if (answer && out.size() - before <= limits_.answer_bytes_max) {
        out.raw("}");
        return true;
    }
    out.truncate(after_head);
    write_error_member(out, answer ? too_large() : answer.error());
    return true;
}

Answer<void> Dispatcher::invoke(Request& request, std::string_view name,
                                std::optional<JsonValue> params) const {
    if (request.last_entry == nullptr || request.last_name != name) {
        const auto found = methods_.find(name);
        request.last_name = name;
        request.last_entry = found == methods_.end() ? nullptr : &found->second;
        request.last_counted = request.last_entry == nullptr || backend_.metrics == nullptr
                                   ? nullptr
                                   : backend_.metrics->find(name);
    }
    const Entry* const found = request.last_entry;
    if (found == nullptr) {
        if (is_subscription(name)) {
            return fail(Code::MethodNotFound, "notifications not supported");
        }
        return fail(Code::MethodNotFound,
                    fmt::format("the method {} does not exist/is not available", name));
    }
    Call call{.backend = backend_,
              .worker = request.worker,
              .params = params,
              .out = request.out,
              .shared_snapshot = request.snapshot,
              .exchange = request.exchange,
              .namespaces = &namespaces_,
              .stream = request.stream,
              .caller = request.caller,
              .deadline_ms = request.deadline_ms};
    // What a test has changed its next call sees, in a batch too.
    const bool changes_chain = backend_.solo != nullptr && found->cost == Cost::Writer;
    if (changes_chain) request.snapshot.reset();
    const Counted counted(backend_.metrics, request.last_counted);
    // A fault ends this request, not the program: one of the four edges.
    try {
        const Answer<void> answer = found->method(call);
        if (changes_chain) request.snapshot.reset();
        if (answer) counted.succeed();
        return answer;
    } catch (const evm::TimeOver&) {
        return fail(Code::Failed, eth::time_over_text(backend_.call_ms_max));
    } catch (const std::exception& fault) {
        if (backend_.on_fault) backend_.on_fault(fault.what());
        return fail(Code::Internal, "internal error");
    }
}

std::vector<std::string_view> all_method_names(bool with_solo) {
    std::vector<std::string_view> names;
    for (const Row& row : kMethods) names.push_back(row.name);
    if (with_solo) {
        for (const dev::Row& row : dev::methods()) names.push_back(row.name);
    }
    return names;
}

std::vector<std::string> namespace_names() {
    return {kNamespaces.begin(), kNamespaces.end()};
}

std::vector<std::string_view> method_names(std::string_view name_space) {
    std::vector<std::string_view> names;
    for (const Row& row : kMethods) {
        if (namespace_of(row.name) == name_space) names.push_back(row.name);
    }
    return names;
}

void write_error(JsonOut& out, std::string_view id, const Error& error) {
    write_head(out, id);
    write_error_member(out, error);
}

}  // namespace keel::rpc
