#pragma once

// Pages of the daemon that are no JSON-RPC. Sources: RPC.md 7; erigon's health checks.

#include <functional>
#include <string>
#include <string_view>

#include "rpc/dispatch.hpp"
#include "rpc/http.hpp"
#include "rpc/metrics.hpp"
#include "rpc/pages.hpp"

namespace keel::node {

/// /livez, /readyz and /health; the explorer and what it reads. Any thread.
class ServicePages final : public rpc::Pages {
  public:
    struct Options {
        bool has_explorer = false;
        bool has_health = true;
        std::string socket_path = {};  // of the explorer's WebSocket
    };
    /// lifetime: both references; `is_stopping` as long as this.
    ServicePages(const rpc::Backend& backend, Options options, std::function<bool()> is_stopping)
        : backend_(backend), options_(std::move(options)), is_stopping_(std::move(is_stopping)) {}

    bool has(std::string_view path) const override;
    rpc::Page answer(const rpc::PageRequest& request) override;

  private:
    rpc::Page ready() const;
    rpc::Page health(const rpc::PageRequest& request) const;
    rpc::Page explorer() const;
    rpc::Page store_stats() const;

    const rpc::Backend& backend_;
    const Options options_;
    const std::function<bool()> is_stopping_;
};

/// /metrics and geth's path of it. Any thread.
class MetricsPages final : public rpc::Pages {
  public:
    struct Connections {
        size_t all = 0;
        size_t lasting = 0;
    };
    /// lifetime: the references; `connections` as long as this.
    MetricsPages(const rpc::Backend& backend, const rpc::Metrics& metrics,
                 std::function<Connections()> connections)
        : backend_(backend), metrics_(metrics), connections_(std::move(connections)) {}

    bool has(std::string_view path) const override;
    rpc::Page answer(const rpc::PageRequest& request) override;

  private:
    const rpc::Backend& backend_;
    const rpc::Metrics& metrics_;
    const std::function<Connections()> connections_;
};

/// The page of the explorer (node/ui/explorer.html).
std::string_view explorer_html() noexcept;

}  // namespace keel::node
