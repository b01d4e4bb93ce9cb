#pragma once

// A client of a Unix socket that blocks, for tests of servers.

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace keel::rpc {

class LocalClient {
  public:
    explicit LocalClient(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, path.c_str(), path.size());
        connected_ =
            ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
        const timeval limit{.tv_sec = 10, .tv_usec = 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    }
    LocalClient(const LocalClient&) = delete;
    LocalClient& operator=(const LocalClient&) = delete;
    ~LocalClient() { ::close(socket_); }

    bool connected() const { return connected_; }
    bool send(std::string_view bytes) const {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<size_t>(sent));
        }
        return true;
    }
    void end_sending() const { ::shutdown(socket_, SHUT_WR); }
    /// The next line; none: the server has closed, or sends nothing.
    std::optional<std::string> receive() {
        size_t end = 0;
        while ((end = received_.find('\n')) == std::string::npos) {
            char buffer[16384];
            const ssize_t got = ::recv(socket_, buffer, sizeof buffer, 0);
            if (got <= 0) return std::nullopt;
            received_.append(buffer, static_cast<size_t>(got));
        }
        std::string line = received_.substr(0, end);
        received_.erase(0, end + 1);
        return line;
    }
    std::optional<std::string> ask(std::string_view text) {
        if (!send(text)) return std::nullopt;
        return receive();
    }

  private:
    int socket_;
    bool connected_ = false;
    std::string received_;
};

}  // namespace keel::rpc
