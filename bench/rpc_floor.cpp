// The floor of bench/rpc.py: a server of one thread that finds the end of each request and answers
// with so many bytes, without a look at what was asked. What a server of this machine can do at
// most over HTTP/1.1, or WebSocket. Usage: keel_rpc_floor PORT BYTES

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>

namespace {

/// Sec-WebSocket-Accept (RFC 6455, 4.2.2).
std::string websocket_accept(std::string_view key) {
    const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    std::array<unsigned char, 20> hash{};
    EVP_Digest(text.data(), text.size(), hash.data(), nullptr, EVP_sha1(), nullptr);
    std::array<unsigned char, 32> encoded{};
    const int size = EVP_EncodeBlock(encoded.data(), hash.data(), hash.size());
    return {encoded.begin(), encoded.begin() + size};
}

struct Connection {
    std::string in;
    std::string out;
    size_t sent = 0;
    bool is_websocket = false;
};

class Floor {
  public:
    Floor(uint16_t port, size_t bytes) : body_(bytes, 'x') {
        answer_ = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
                  std::to_string(bytes) + "\r\n\r\n" + body_;
        frame_ = "\x81";
        if (bytes < 126) {
            frame_ += static_cast<char>(bytes);
        } else {
            frame_ += static_cast<char>(126);
            frame_ += static_cast<char>(bytes >> 8U);
            frame_ += static_cast<char>(bytes & 255U);
        }
        frame_ += body_;
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        const int on = 1;
        ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        is_ready_ =
            ::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
            ::listen(listener_, 1024) == 0;
        epoll_ = ::epoll_create1(0);
        watch(listener_, EPOLLIN, EPOLL_CTL_ADD);
    }

    bool is_ready() const { return is_ready_; }
    [[noreturn]] void run() {
        std::array<epoll_event, 256> events{};
        for (;;) {
            const int count =
                ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
            for (int i = 0; i < count; ++i) {
                const int descriptor = events[static_cast<size_t>(i)].data.fd;
                if (descriptor == listener_) {
                    accept();
                } else {
                    serve(descriptor);
                }
            }
        }
    }

  private:
    void watch(int descriptor, uint32_t events, int operation) {
        epoll_event event{};
        event.events = events;
        event.data.fd = descriptor;
        ::epoll_ctl(epoll_, operation, descriptor, &event);
    }
    void accept() {
        const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK);
        if (descriptor < 0) return;
        const int on = 1;
        ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        connections_[descriptor] = {};
        watch(descriptor, EPOLLIN, EPOLL_CTL_ADD);
    }
    void serve(int descriptor) {
        Connection& connection = connections_[descriptor];
        std::array<char, 65536> buffer{};
        const ssize_t got = ::recv(descriptor, buffer.data(), buffer.size(), 0);
        if (got == 0 || (got < 0 && errno != EAGAIN)) {
            ::close(descriptor);
            connections_.erase(descriptor);
            return;
        }
        if (got > 0) connection.in.append(buffer.data(), static_cast<size_t>(got));
        while (take_request(connection)) {
        }
        flush(descriptor, connection);
    }
    bool take_request(Connection& connection) {
        return connection.is_websocket ? take_frame(connection) : take_http(connection);
    }
    bool take_http(Connection& connection) {
        const size_t end = connection.in.find("\r\n\r\n");
        if (end == std::string::npos) return false;
        const std::string_view head(connection.in.data(), end + 2);
        if (const size_t at = head.find("Sec-WebSocket-Key: "); at != std::string_view::npos) {
            const std::string_view key = head.substr(at + 19, head.find("\r\n", at) - at - 19);
            connection.out +=
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
                "Upgrade\r\nSec-WebSocket-Accept: " +
                websocket_accept(key) + "\r\n\r\n";
            connection.in.erase(0, end + 4);
            connection.is_websocket = true;
            return true;
        }
        size_t length = 0;
        if (const size_t at = head.find("Content-Length: "); at != std::string_view::npos) {
            std::from_chars(head.data() + at + 16, head.data() + head.size(), length);
        }
        if (connection.in.size() < end + 4 + length) return false;
        connection.in.erase(0, end + 4 + length);
        connection.out += answer_;
        return true;
    }
    /// Masked frames of less than 64 KiB, as a client sends them.
    bool take_frame(Connection& connection) {
        const std::string& in = connection.in;
        if (in.size() < 2) return false;
        size_t length = static_cast<uint8_t>(in[1]) & 127U;
        size_t head = 2;
        if (length == 126) {
            if (in.size() < 4) return false;
            length = size_t{static_cast<uint8_t>(in[2])} << 8U | static_cast<uint8_t>(in[3]);
            head = 4;
        }
        if (in.size() < head + 4 + length) return false;
        connection.in.erase(0, head + 4 + length);
        connection.out += frame_;
        return true;
    }
    void flush(int descriptor, Connection& connection) {
        while (connection.sent < connection.out.size()) {
            const ssize_t sent = ::send(descriptor, connection.out.data() + connection.sent,
                                        connection.out.size() - connection.sent, MSG_NOSIGNAL);
            if (sent <= 0) {
                watch(descriptor, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
                return;
            }
            connection.sent += static_cast<size_t>(sent);
        }
        connection.out.clear();
        if (connection.sent > answer_.size()) watch(descriptor, EPOLLIN, EPOLL_CTL_MOD);
        connection.sent = 0;
    }

    std::string body_;
    std::string answer_;
    std::string frame_;
    int listener_ = -1;
    int epoll_ = -1;
    bool is_ready_ = false;
    std::unordered_map<int, Connection> connections_;
};

}  // namespace

int main(int argc, char** argv) {
    unsigned port = 0;
    size_t bytes = 0;
    if (argc == 3) {
        std::from_chars(argv[1], argv[1] + std::strlen(argv[1]), port);
        std::from_chars(argv[2], argv[2] + std::strlen(argv[2]), bytes);
    }
    if (port == 0 || port > UINT16_MAX || bytes == 0) {
        static_cast<void>(std::fputs("usage: keel_rpc_floor PORT BYTES\n", stderr));
        return 2;
    }
    Floor floor(static_cast<uint16_t>(port), bytes);
    if (!floor.is_ready()) return 1;
    floor.run();
}
