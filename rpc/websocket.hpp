#pragma once

#include <string>

#include "rpc/server_threads.hpp"

namespace keel::rpc {

/// What the request said that asked for a WebSocket.
struct WebSocketRequest {
    std::string host;
    std::string key;
    std::string version;
};

/// Answers the request and serves the socket as a WebSocket from then on (RFC 6455). Text frames go
/// out; text and binary ones come in. `io`'s thread. lifetime: the options's options.
void serve_websocket(Shared& shared, IoThread& io, const WebSocketOptions& options, Socket socket,
                     ConnectionSlot slot, const WebSocketRequest& request);

}  // namespace keel::rpc
