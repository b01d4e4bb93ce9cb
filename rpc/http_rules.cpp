#include "rpc/http_rules.hpp"

#include <algorithm>

namespace keel::rpc {
namespace {

char lower(char character) noexcept {
    return character >= 'A' && character <= 'Z' ? static_cast<char>(character - 'A' + 'a')
                                                : character;
}

bool same_word(std::string_view a, std::string_view b) noexcept {
    return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) noexcept {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

/// The part before the first `mark`; `rest` goes on behind it.
std::string_view cut(std::string_view& rest, char mark) noexcept {
    const size_t at = rest.find(mark);
    const std::string_view part = rest.substr(0, at);
    rest = at == std::string_view::npos ? std::string_view{} : rest.substr(at + 1);
    return trimmed(part);
}

bool is_ip_literal(std::string_view host) noexcept {
    if (host.starts_with('[')) return true;
    // Two colons and no brackets: IPv6 without port.
    if (std::ranges::count(host, ':') >= 2) return true;
    if (host.empty()) return false;
    return std::ranges::count(host, '.') == 3 && std::ranges::all_of(host, [](char character) {
               return character == '.' || (character >= '0' && character <= '9');
           });
}

/// `host` without port and brackets.
std::string_view without_port(std::string_view host) noexcept {
    if (host.starts_with('[')) return host;
    if (std::ranges::count(host, ':') != 1) return host;
    return host.substr(0, host.find(':'));
}

}  // namespace

bool is_json_content_type(std::string_view content_type) noexcept {
    const std::string_view media = cut(content_type, ';');
    return same_word(media, "application/json") || same_word(media, "application/json-rpc") ||
           same_word(media, "application/jsonrequest");
}

bool host_allowed(std::string_view host, const std::vector<std::string>& vhosts) {
    const std::string_view name = without_port(trimmed(host));
    if (name.empty() || is_ip_literal(name)) return true;
    return std::ranges::any_of(
        vhosts, [name](const std::string& one) { return one == "*" || same_word(one, name); });
}

bool origin_allowed(std::string_view origin, const std::vector<std::string>& cors_domains) {
    return std::ranges::any_of(cors_domains, [origin](const std::string& one) {
        return one == "*" || same_word(one, origin);
    });
}

namespace {

/// Of an origin or an entry of the list; what is missing is empty.
struct OriginParts {
    std::string_view scheme, host, port;

    explicit OriginParts(std::string_view text) {
        if (const size_t mark = text.find("://"); mark != std::string_view::npos) {
            scheme = text.substr(0, mark);
            text.remove_prefix(mark + 3);
        }
        const size_t colon = text.rfind(':');
        const size_t bracket = text.rfind(']');  // of an IPv6 address
        if (colon != std::string_view::npos &&
            (bracket == std::string_view::npos || colon > bracket)) {
            port = text.substr(colon + 1);
            text = text.substr(0, colon);
        }
        host = text;
    }
    bool allows(const OriginParts& origin) const {
        return (scheme.empty() || same_word(scheme, origin.scheme)) &&
               (host.empty() || same_word(host, origin.host)) &&
               (port.empty() || port == origin.port);
    }
};

}  // namespace

bool websocket_origin_allowed(std::string_view origin, const std::vector<std::string>& origins) {
    const OriginParts parts(trimmed(origin));
    if (origins.empty()) return OriginParts("localhost").allows(parts);
    return std::ranges::any_of(origins, [&parts](const std::string& one) {
        return one == "*" || (!one.empty() && OriginParts(one).allows(parts));
    });
}

bool is_same_origin(std::string_view origin, std::string_view host) noexcept {
    const size_t mark = origin.find("://");
    return mark != std::string_view::npos && !host.empty() &&
           same_word(origin.substr(mark + 3), trimmed(host));
}

bool accepts_gzip(std::string_view list) noexcept {
    while (!list.empty()) {
        std::string_view entry = cut(list, ',');
        const std::string_view coding = cut(entry, ';');
        if (!same_word(coding, "gzip")) continue;
        const std::string_view weight = trimmed(entry);
        return !(weight == "q=0" || weight == "q=0.0" || weight == "q=0.00" || weight == "q=0.000");
    }
    return false;
}

std::string_view reason_phrase(unsigned status) noexcept {
    switch (status) {
        case 200:
            return "OK";
        case 204:
            return "No Content";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 408:
            return "Request Timeout";
        case 413:
            return "Request Entity Too Large";
        case 415:
            return "Unsupported Media Type";
        case 431:
            return "Request Header Fields Too Large";
        case 503:
            return "Service Unavailable";
        default:
            return "Error";
    }
}

}  // namespace keel::rpc
