#pragma once

// What a request's headers decide, apart from any socket. Source: RFC 9110; geth's node/rpcstack.

#include <string>
#include <string_view>
#include <vector>

namespace keel::rpc {

/// Media types that carry JSON-RPC; parameters are allowed.
bool is_json_content_type(std::string_view content_type) noexcept;

/// Whether a server of these names answers a request for `host`, which may have a port. IP literals
/// and an absent host pass: no web page can make a browser send one that is not its own.
bool host_allowed(std::string_view host, const std::vector<std::string>& vhosts);

/// Whether pages of `origin` may read answers.
bool origin_allowed(std::string_view origin, const std::vector<std::string>& cors_domains);

/// Whether a page of `origin` may open a WebSocket. An entry is an origin of which each part that
/// it gives must agree (`https://a.example`, `a.example`, `a.example:80`), or `*`; no entries:
/// pages of localhost.
bool websocket_origin_allowed(std::string_view origin, const std::vector<std::string>& origins);

/// Whether `list` (comma-separated, with parameters) names gzip and does not refuse it by q=0.
/// Whether a page of this origin came from the host that is asked.
bool is_same_origin(std::string_view origin, std::string_view host) noexcept;
bool accepts_gzip(std::string_view list) noexcept;

/// Status line's reason.
std::string_view reason_phrase(unsigned status) noexcept;

}  // namespace keel::rpc
