#pragma once

// A socket that blocks, for at most ten seconds: what the clients of tests have in common.

#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <string_view>

namespace keel::rpc {

class SocketClient {
  public:
    SocketClient(const SocketClient&) = delete;
    SocketClient& operator=(const SocketClient&) = delete;
    ~SocketClient() { ::close(socket_); }

    bool connected() const { return connected_; }
    int descriptor() const { return socket_; }
    bool send(std::string_view bytes) const {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<size_t>(sent));
        }
        return true;
    }
    void end_sending() const { ::shutdown(socket_, SHUT_WR); }

  protected:
    template <class Address>
    explicit SocketClient(const Address& address, int family)
        : socket_(::socket(family, SOCK_STREAM, 0)) {
        connected_ =
            ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
        const timeval limit{.tv_sec = 10, .tv_usec = 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    }
    /// More of what has come to received_; false: the server has closed, or sends nothing.
    bool read_some() {
        char buffer[16384];
        const ssize_t got = ::recv(socket_, buffer, sizeof buffer, 0);
        if (got <= 0) return false;
        received_.append(buffer, static_cast<size_t>(got));
        return true;
    }

    std::string received_;

  private:
    int socket_;
    bool connected_ = false;
};

}  // namespace keel::rpc
