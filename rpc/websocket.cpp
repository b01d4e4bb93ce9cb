#include "rpc/websocket.hpp"

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <optional>

#include "rpc/peer.hpp"

namespace keel::rpc {
namespace {

namespace beast_http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using Handshake = beast_http::request<beast_http::empty_body>;

constexpr uint64_t kHandshakeMs = 30'000;

class WebSocketPeer final : public Peer {
  public:
    WebSocketPeer(Shared& shared, IoThread& io, const WebSocketOptions& options, Socket socket,
                  ConnectionSlot slot)
        : Peer(shared, io, *options.dispatcher, std::move(slot)), stream_(std::move(socket)) {
        websocket::stream_base::timeout timeout{};
        timeout.handshake_timeout = std::chrono::milliseconds(kHandshakeMs);
        // Beast pings at half of the time.
        timeout.idle_timeout = std::chrono::milliseconds(2 * shared.options.ping_ms);
        timeout.keep_alive_pings = true;
        stream_.set_option(timeout);
        stream_.set_option(
            websocket::stream_base::decorator([](websocket::response_type& response) {
                response.set(beast_http::field::server, "keel");
            }));
        stream_.read_message_max(options.message_bytes_max);
        stream_.auto_fragment(false);
        stream_.text(true);
    }

    void start(const WebSocketRequest& from) {
        io_.add(shared_from_this());
        Handshake request(beast_http::verb::get, "/", 11);
        request.set(beast_http::field::host, from.host);
        request.set(beast_http::field::connection, "Upgrade");
        request.set(beast_http::field::upgrade, "websocket");
        request.set(beast_http::field::sec_websocket_key, from.key);
        request.set(beast_http::field::sec_websocket_version, from.version);
        stream_.async_accept(request, [self = self()](const ErrorCode& error) {
            if (error) {
                self->close();
            } else if (!self->is_closed()) {
                self->begin();
            }
        });
    }

  private:
    std::shared_ptr<WebSocketPeer> self() {
        return std::static_pointer_cast<WebSocketPeer>(shared_from_this());
    }
    void read() override {
        buffer_.emplace(text_);  // knows nothing of what received() takes out
        stream_.async_read(*buffer_, [self = self()](const ErrorCode& error, size_t) {
            // Its end, a goodbye, silence, a message that is too long: Beast has answered it.
            if (error) {
                self->close();
            } else {
                self->received(self->text_);
            }
        });
    }
    void write(const Buffers& message) override {
        stream_.async_write(message, [self = self()](const ErrorCode& error, size_t) {
            if (error && !self->is_ending()) self->close();
            self->written();
        });
    }
    void write_part(asio::const_buffer part, bool is_last) override {
        stream_.async_write_some(is_last, part, [self = self()](const ErrorCode& error, size_t) {
            if (error && !self->is_ending()) self->close();
            self->written();
        });
    }
    void say_goodbye(Reason reason) override {
        const websocket::close_reason why =
            reason == Reason::TooSlow ? websocket::close_reason(websocket::close_code::policy_error,
                                                                "notifications were not read")
                                      : websocket::close_reason(websocket::close_code::going_away);
        stream_.async_close(why, [self = self()](const ErrorCode&) { self->close(); });
    }
    void close_socket() override {
        ErrorCode ignored;
        stream_.next_layer().close(ignored);
    }

    websocket::stream<Socket, false> stream_;  // without compression
    std::string text_;
    std::optional<asio::dynamic_string_buffer<char, std::char_traits<char>, std::allocator<char>>>
        buffer_;
};

}  // namespace

void serve_websocket(Shared& shared, IoThread& io, const WebSocketOptions& options, Socket socket,
                     ConnectionSlot slot, const WebSocketRequest& request) {
    const auto peer =
        std::make_shared<WebSocketPeer>(shared, io, options, std::move(socket), std::move(slot));
    peer->start(request);
}

}  // namespace keel::rpc
