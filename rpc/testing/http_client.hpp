#pragma once

// A client that sends the bytes it is told to and reads answers one by one: for tests of servers.

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "rpc/testing/socket_client.hpp"

namespace keel::rpc {

struct HttpAnswer {
    int status = 0;
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body;
};

class RawHttpClient : public SocketClient {
  public:
    explicit RawHttpClient(uint16_t port) : SocketClient(loopback(port), AF_INET) {}

    bool post(std::string_view body, std::string_view headers = {}) const {
        return send(request("POST", "/", body, headers));
    }
    static std::string request(std::string_view method, std::string_view target,
                               std::string_view body, std::string_view headers = {}) {
        std::string text(method);
        text += ' ';
        text += target;
        text += " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
        text += headers;
        text += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
        text += body;
        return text;
    }

    /// None: the server has closed, or sends nothing.
    std::optional<HttpAnswer> receive() {
        auto answer = receive_head();
        if (!answer) return std::nullopt;
        const auto length = answer->headers.find("content-length");
        const size_t bytes = length == answer->headers.end() ? 0 : std::stoul(length->second);
        auto body = receive_bytes(bytes);
        if (!body) return std::nullopt;
        answer->body = *std::move(body);
        return answer;
    }
    /// An answer in chunks (RFC 9112, 7.1).
    std::optional<HttpAnswer> receive_chunked() {
        auto answer = receive_head();
        if (!answer) return std::nullopt;
        for (;;) {
            size_t end = 0;
            while ((end = received_.find("\r\n")) == std::string::npos) {
                if (!read_some()) return std::nullopt;
            }
            const size_t bytes = std::stoul(received_.substr(0, end), nullptr, 16);
            received_.erase(0, end + 2);
            const auto chunk = receive_bytes(bytes + 2);
            if (!chunk || !chunk->ends_with("\r\n")) return std::nullopt;
            if (bytes == 0) return answer;
            answer->body.append(*chunk, 0, bytes);
        }
    }
    std::optional<HttpAnswer> receive_head() {
        size_t head_end = 0;
        while ((head_end = received_.find("\r\n\r\n")) == std::string::npos) {
            if (!read_some()) return std::nullopt;
        }
        HttpAnswer answer;
        const std::string head = received_.substr(0, head_end + 2);
        received_.erase(0, head_end + 4);
        answer.status = std::stoi(head.substr(head.find(' ') + 1));
        for (size_t at = head.find("\r\n") + 2; at < head.size();) {
            const size_t end = head.find("\r\n", at);
            const size_t colon = head.find(": ", at);
            std::string name = head.substr(at, colon - at);
            for (char& character : name) {
                if (character >= 'A' && character <= 'Z') character += 'a' - 'A';
            }
            answer.headers[name] = head.substr(colon + 2, end - colon - 2);
            at = end + 2;
        }
        return answer;
    }
    std::optional<HttpAnswer> ask(std::string_view body, std::string_view headers = {}) {
        if (!post(body, headers)) return std::nullopt;
        return receive();
    }
    /// What follows, so many bytes of it. None: the server has closed, or sends nothing.
    std::optional<std::string> receive_bytes(size_t bytes) {
        while (received_.size() < bytes) {
            if (!read_some()) return std::nullopt;
        }
        std::string text = received_.substr(0, bytes);
        received_.erase(0, bytes);
        return text;
    }
    bool has_received() const { return !received_.empty(); }
    /// Whether the server closes without another byte.
    bool is_closed() { return received_.empty() && !read_some(); }

  private:
    static sockaddr_in loopback(uint16_t port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return address;
    }
};

}  // namespace keel::rpc
