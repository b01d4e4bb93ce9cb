#pragma once

// From the body of a request to the body of its answer: JSON-RPC 2.0, batches, the table of
// methods. Knows nothing of the transport.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "chain/fork_schedule.hpp"
#include "db/database.hpp"
#include "evm/call.hpp"
#include "rpc/error.hpp"
#include "rpc/json_in.hpp"
#include "rpc/json_out.hpp"
#include "rpc/log_limits.hpp"
#include "rpc/snapshot.hpp"
#include "state/journal.hpp"
#include "state/tables.hpp"

namespace keel::rpc {

namespace engine {
class Engine;
class Payloads;
struct BuiltBlock;
}  // namespace engine
namespace pool {
class Pool;
}
namespace dev {
class Solo;
}
class Filters;
class Subscriber;
class Subscription;
class Subscriptions;
class HeadSignal;
class Metrics;
class Stream;

/// What blocks that are built here say.
struct BuildingOptions {
    uint64_t gas_limit_target = 60'000'000;
    core::Bytes extra_data = {};  // at most 32 bytes
};

/// What methods answer from: the same for every listener, unchanged while they run.
struct Backend {
    db::Database database;
    const state::Tables* tables = nullptr;          // lifetime: outlives the servers
    const chain::ForkSchedule* schedule = nullptr;  // lifetime: outlives the servers
    uint64_t network_id = 0;
    std::string client_version;
    std::string version;                 // of the program, "v1.2.3"
    std::string commit = "0x00000000";   // its first 4 bytes
    engine::Engine* engine = nullptr;    // lifetime: outlives the servers; null: not here
    uint64_t call_gas_cap = 50'000'000;  // of eth_call and its like
    uint64_t call_ms_max = 5'000;        // the same; 0: any time
    uint64_t return_data_max = 0;        // bytes that eth_call returns; 0: any number
    LogLimits log_limits = {};
    engine::Payloads* payloads = nullptr;  // lifetime: as the engine
    BuildingOptions building = {};
    pool::Pool* pool = nullptr;  // lifetime: outlives the servers; null: nothing waits here
    Filters* filters = nullptr;  // lifetime: the same
    Subscriptions* subscriptions = nullptr;  // lifetime: as the pool; null: none are offered
    dev::Solo* solo = nullptr;   // lifetime: outlives the servers; null: blocks come from others
    Metrics* metrics = nullptr;  // lifetime: the same; null: nothing is counted
    HeadSignal* head_signal = nullptr;  // lifetime: the same; null: nobody tells of new heads
    uint64_t sync_wait_ms = 20'000;     // of sendRawTransactionSync, where the caller says nothing
    uint64_t sync_wait_ms_max = 60'000;
    std::string datadir = {};
    /// 64 bytes, the coordinates of a point: names this directory to other nodes.
    core::Bytes node_key = {};
    /// Makes a canonical block the head; empty: not possible here.
    std::function<Answer<void>(const chain::BlockId&)> set_head = {};
    /// Stores a block that was built on the head and makes it the head; empty: not possible here.
    std::function<Answer<void>(const engine::BuiltBlock&)> commit_block = {};
    /// Told of faults that ended a request; any thread. May be empty.
    std::function<void(std::string_view)> on_fault = {};
};

/// What one thread keeps from request to request.
struct Worker {
    evm::Workspace& workspace();
    state::Journal& journal();

  private:
    std::unique_ptr<evm::Workspace> workspace_;  // made when first used
    std::unique_ptr<state::Journal> journal_;
};

struct Exchange;

/// Whoever waits for an answer.
class Caller {
  public:
    Caller() = default;
    Caller(const Caller&) = delete;
    Caller& operator=(const Caller&) = delete;
    virtual ~Caller() = default;
    /// Nobody will read the answer. The thread that runs the request, which need not ask often.
    virtual bool has_gone() const = 0;
};

/// One call of a method; writes its result, and nothing else, to `out`.
struct Call {
    const Backend& backend;
    Worker& worker;
    std::optional<JsonValue> params;
    JsonOut& out;

    /// Taken when the request first needs one, kept to its end.
    Snapshot& snapshot() const;
    std::optional<Snapshot>& shared_snapshot;
    Exchange* exchange = nullptr;  // for subscriptions; null: the connection carries none
    const std::vector<std::string>* namespaces = nullptr;  // that are served here
    Stream* stream = nullptr;           // takes parts of the answer; null: it goes as a whole
    const Caller* caller = nullptr;     // null: waits for as long as it takes
    uint64_t deadline_ms = UINT64_MAX;  // of core::monotonic_coarse_ms()
};
using Method = Answer<void> (*)(Call&);

/// Where a method runs, by what it may cost: cheap ones where the request was read, others in the
/// pool; those that take long on a few threads of their own; those that write one after the other,
/// in the order in which they came; those that wait for something to happen where nobody else
/// waits. A batch runs where its dearest call does.
enum class Cost : uint8_t { Cheap, State, Heavy, Writer, Waiting };

/// A request and its answer; reused, so that neither allocates.
struct Exchange {
    JsonIn in;
    JsonOut out;
    JsonVerdict verdict = JsonVerdict::Ok;
    /// Who may subscribe; null: the connection ends with its answer. lifetime: until run() is done.
    Subscriber* subscriber = nullptr;
    /// Subscriptions that the answer tells of; whoever queues it activates them.
    std::vector<std::shared_ptr<Subscription>> begun = {};
    /// Takes parts of the answer; null: it goes as a whole. lifetime: until run() is done.
    Stream* stream = nullptr;
    /// Null: it waits for as long as it takes. lifetime: the same.
    const Caller* caller = nullptr;

    /// Gives back what an unusually large request or answer took.
    void trim();
};

struct DispatchLimits {
    size_t batch_items_max = 1000;
    size_t batch_bytes_max = 25'000'000;
    size_t answer_bytes_max = 160'000'000;
    uint64_t request_ms_max = 30'000;  // a batch too: calls that begin later are refused
};

/// The methods that one listener serves. Any thread.
class Dispatcher {
  public:
    /// Throws Fault::Usage for a namespace that does not exist. lifetime: the backend.
    Dispatcher(const Backend& backend, std::vector<std::string> namespaces, DispatchLimits limits);

    /// Parses `body` and says where to run it. `body` has kJsonPadding readable bytes behind it and
    /// lives until run() has returned.
    Cost parse(Exchange& exchange, std::string_view body) const;
    /// Writes the answer; none for notifications.
    void run(Exchange& exchange, Worker& worker) const;

  private:
    struct Entry {
        Method method;
        Cost cost;
    };
    struct Request;

    Cost cost_of(JsonValue item) const;
    void run_batch(Request& request, JsonValue items) const;
    /// One item of a batch, or all there is; false: it wants no answer.
    bool run_item(Request& request, JsonValue item) const;
    Answer<void> invoke(Request& request, std::string_view name,
                        std::optional<JsonValue> params) const;

    const Backend& backend_;
    DispatchLimits limits_;
    std::vector<std::string> namespaces_;
    std::unordered_map<std::string_view, Entry> methods_;  // keys: the table of dispatch.cpp
};

/// URL of a node without a network; `node_key` as in Backend.
std::string enode_of(core::ByteView node_key);

/// The namespaces that a listener may serve without an engine.
std::vector<std::string> namespace_names();

/// Every method that any listener may serve; `with_solo`: those of solo mode too.
std::vector<std::string_view> all_method_names(bool with_solo);

/// Methods of a namespace, in the order of their names.
std::vector<std::string_view> method_names(std::string_view name_space);

/// Appends `{"jsonrpc":"2.0","id":ID,"error":…}`; `id` is a token.
void write_error(JsonOut& out, std::string_view id, const Error& error);

}  // namespace keel::rpc
