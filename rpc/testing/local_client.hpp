#pragma once

// A client of a Unix socket that blocks, for tests of servers.

#include <sys/un.h>

#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "rpc/testing/socket_client.hpp"

namespace keel::rpc {

class LocalClient : public SocketClient {
  public:
    explicit LocalClient(const std::string& path) : SocketClient(address_of(path), AF_UNIX) {}

    /// The next line; none: the server has closed, or sends nothing.
    std::optional<std::string> receive() {
        size_t end = 0;
        while ((end = received_.find('\n')) == std::string::npos) {
            if (!read_some()) return std::nullopt;
        }
        std::string line = received_.substr(0, end);
        received_.erase(0, end + 1);
        return line;
    }
    /// Something has come that no line has told of yet.
    bool receive_some() { return read_some(); }
    std::optional<std::string> ask(std::string_view text) {
        if (!send(text)) return std::nullopt;
        return receive();
    }

  private:
    static sockaddr_un address_of(const std::string& path) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, path.c_str(), path.size());
        return address;
    }
};

}  // namespace keel::rpc
