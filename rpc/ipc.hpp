#pragma once

// JSON-RPC over a Unix socket, as geth has it: JSON texts one behind the other, answers a line
// each. Who may open the socket may ask: it is its owner's alone.

#include <boost/asio/local/stream_protocol.hpp>
#include <filesystem>

#include "rpc/server_threads.hpp"

namespace keel::rpc {

using Local = asio::local::stream_protocol;
using LocalSocket = asio::basic_stream_socket<Local, asio::io_context::executor_type>;

/// A socket that listens at a path, which goes with it.
class IpcListener {
  public:
    /// Takes the place of a socket that nobody listens at. Throws Fault::Failed when somebody does,
    /// and for what the system refuses.
    IpcListener(asio::io_context& context, IpcOptions options);
    IpcListener(const IpcListener&) = delete;
    IpcListener& operator=(const IpcListener&) = delete;
    ~IpcListener();

    void close();
    asio::basic_socket_acceptor<Local, asio::io_context::executor_type>& acceptor() {
        return acceptor_;
    }
    asio::steady_timer& retry() { return retry_; }
    const IpcOptions& options() const { return options_; }

  private:
    const IpcOptions options_;
    asio::basic_socket_acceptor<Local, asio::io_context::executor_type> acceptor_;
    asio::steady_timer retry_;  // after accept failed
    bool is_open_ = false;
};

/// Serves a connection. `io`'s thread. lifetime: the listener's options.
void serve_ipc(Shared& shared, IoThread& io, const IpcOptions& options, LocalSocket socket,
               ConnectionSlot slot);

}  // namespace keel::rpc
