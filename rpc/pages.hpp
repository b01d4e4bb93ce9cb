#pragma once

// What a listener answers besides JSON-RPC, by path: health, metrics, the explorer.

#include <string>
#include <string_view>
#include <vector>

namespace keel::rpc {

struct PageRequest {
    bool is_post = false;
    std::string_view path;
    std::string_view body;
    const std::vector<std::string>& health_checks;  // values of X-ERIGON-HEALTHCHECK
};

struct Page {
    unsigned status = 200;
    std::string type = "text/plain; charset=utf-8";
    std::string headers = {};  // more of them, each with its line end
    std::string body = {};
};

/// Any thread.
class Pages {
  public:
    virtual ~Pages() = default;
    /// Whether the path is a page, with a GET or with a POST.
    virtual bool has(std::string_view path) const = 0;
    /// Of a path that it has; quick, since connections wait meanwhile.
    virtual Page answer(const PageRequest& request) = 0;
};

}  // namespace keel::rpc
