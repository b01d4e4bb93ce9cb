#include <fmt/format.h>

#include <charconv>

#include "core/clock.hpp"
#include "node/pages.hpp"
#include "rpc/members.hpp"
#include "rpc/snapshot.hpp"

namespace keel::node {
namespace {

constexpr std::string_view kHealthy = "HEALTHY";
constexpr std::string_view kDisabled = "DISABLED";
constexpr std::string_view kJson = "application/json";
constexpr unsigned kUnhealthy = 500;  // as erigon has it

/// What is asked for; none: disabled.
struct Checks {
    bool synced = false;
    std::optional<uint64_t> min_peer_count, block, seconds_behind_max;
    std::string wrong;  // a check that could not be read
};

/// The number behind the name of a check.
bool read_number(std::string_view check, std::string_view name, std::optional<uint64_t>& into,
                 std::string& wrong) {
    if (!check.starts_with(name)) return false;
    const std::string_view digits = check.substr(name.size());
    uint64_t number = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (digits.empty() || read.ec != std::errc() || read.ptr != digits.data() + digits.size()) {
        wrong = fmt::format("{}: not a number", name);
    } else {
        into = number;
    }
    return true;
}

Checks checks_of(const std::vector<std::string>& words) {
    Checks checks;
    for (const std::string& word : words) {
        if (word == "synced") {
            checks.synced = true;
        } else if (!read_number(word, "min_peer_count", checks.min_peer_count, checks.wrong) &&
                   !read_number(word, "check_block", checks.block, checks.wrong) &&
                   !read_number(word, "max_seconds_behind", checks.seconds_behind_max,
                                checks.wrong)) {
            checks.wrong = fmt::format("unknown check {}", word);
        }
    }
    return checks;
}

Checks checks_of_body(std::string_view body) {
    Checks checks;
    std::string padded(body);
    padded.resize(body.size() + rpc::kJsonPadding);
    rpc::JsonIn json;
    if (json.parse(std::string_view(padded).substr(0, body.size())) != rpc::JsonVerdict::Ok ||
        !json.root().is(rpc::JsonKind::Object)) {
        checks.wrong = "the body is no JSON object";
        return checks;
    }
    const auto to_count = +[](rpc::JsonValue value) -> rpc::Converted<uint64_t> {
        if (!value.is(rpc::JsonKind::Number)) return rpc::to_uint64(value);
        uint64_t number = 0;
        const std::string_view text = value.raw();
        const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
        if (read.ec != std::errc()) return core::unexpected(std::string("not a number"));
        return number;
    };
    rpc::Members members(json.root());
    members.read("min_peer_count", to_count, checks.min_peer_count);
    members.read("known_block", to_count, checks.block);
    if (members.error()) checks.wrong = members.error()->message;
    return checks;
}

std::string text_of(const std::optional<std::string>& fault, bool is_asked) {
    if (!is_asked) return std::string(kDisabled);
    return fault ? "ERROR: " + *fault : std::string(kHealthy);
}

}  // namespace

bool ServicePages::has(std::string_view path) const {
    if (path == "/livez" || path == "/readyz") return true;
    if (path == "/health") return options_.has_health;
    return options_.has_explorer && (path == "/ui" || path == "/ui/stats.json");
}

rpc::Page ServicePages::answer(const rpc::PageRequest& request) {
    if (request.path == "/livez") return {.body = "ok"};
    if (request.path == "/readyz") return ready();
    if (request.path == "/health") return health(request);
    if (request.path == "/ui/stats.json") return store_stats();
    return explorer();
}

rpc::Page ServicePages::ready() const {
    constexpr unsigned kUnavailable = 503;
    if (is_stopping_()) return {.status = kUnavailable, .body = "stopping"};
    try {
        rpc::Snapshot snapshot(backend_.database, *backend_.tables);
        return {.body = fmt::format("ok head={}", snapshot.head().number)};
    } catch (const std::exception& fault) {
        return {.status = kUnavailable, .body = fmt::format("store: {}", fault.what())};
    }
}

rpc::Page ServicePages::health(const rpc::PageRequest& request) const {
    const bool is_by_body = request.health_checks.empty() && !request.body.empty();
    const Checks checks =
        is_by_body ? checks_of_body(request.body) : checks_of(request.health_checks);
    std::optional<std::string> query_fault, peer_fault, block_fault, time_fault;
    if (!checks.wrong.empty()) query_fault = checks.wrong;
    // There are no peers, and whoever asks for none gets what they ask for.
    const bool peers_asked = checks.min_peer_count.value_or(0) > 0;
    if (peers_asked) {
        peer_fault = fmt::format("not enough peers: 0 (minimum {})", *checks.min_peer_count);
    }
    rpc::Snapshot snapshot(backend_.database, *backend_.tables);
    if (checks.block && *checks.block > snapshot.head().number) {
        block_fault =
            fmt::format("no known block with number {} ({:x} hex)", *checks.block, *checks.block);
    }
    if (checks.seconds_behind_max) {
        const uint64_t head_s = snapshot.header(snapshot.head()).timestamp;
        const uint64_t now_s = core::wall_clock_s();
        if (now_s > head_s && now_s - head_s > *checks.seconds_behind_max) {
            time_fault = fmt::format("timestamp too old: got ts: {}, expected ts: {}", head_s,
                                     now_s - *checks.seconds_behind_max);
        }
    }
    rpc::JsonOut out;
    const auto member = [&out](std::string_view name, const std::string& text) {
        out.key(name);
        out.string(text);
    };
    out.begin_object();
    if (is_by_body) {
        member("healthcheck_query", text_of(query_fault, true));
    } else {
        member("synced", text_of(query_fault, checks.synced || query_fault.has_value()));
    }
    member("min_peer_count", text_of(peer_fault, peers_asked));
    member("check_block", text_of(block_fault, checks.block.has_value()));
    if (!is_by_body) {
        member("max_seconds_behind", text_of(time_fault, checks.seconds_behind_max.has_value()));
    }
    out.end_object();
    const bool is_well = !query_fault && !peer_fault && !block_fault && !time_fault;
    return {.status = is_well ? 200 : kUnhealthy,
            .type = std::string(kJson),
            .body = std::string(out.text())};
}

rpc::Page ServicePages::store_stats() const {
    const db::Stats stats = backend_.database.stats();
    rpc::JsonOut out;
    out.begin_object();
    const auto number = [&out](std::string_view name, uint64_t value) {
        out.key(name);
        out.number(value);
    };
    out.key("backend");
    out.string(stats.backend);
    out.key("socket");
    out.string(options_.socket_path);
    number("image_bytes", stats.image_bytes);
    number("log_bytes", stats.log_bytes);
    number("memory_bytes", stats.anonymous_bytes);
    number("free_bytes", stats.free_bytes);
    number("commits", stats.commits);
    number("readers", stats.readers);
    number("puts", stats.puts);
    number("deletes", stats.deletes);
    out.end_object();
    return {.type = std::string(kJson),
            .headers = "Cache-Control: no-store\r\n",
            .body = std::string(out.text())};
}

rpc::Page ServicePages::explorer() const {
    // Nothing from elsewhere is loaded, and nobody frames the page.
    return {.type = "text/html; charset=utf-8",
            .headers =
                "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; "
                "script-src 'unsafe-inline'; connect-src 'self'; img-src data:; "
                "frame-ancestors 'none'; base-uri 'none'; form-action 'none'\r\n"
                "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
                "Cache-Control: no-cache\r\n",
            .body = std::string(explorer_html())};
}

}  // namespace keel::node
