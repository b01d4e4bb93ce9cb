#pragma once

// A WebSocket client that blocks, for tests of servers: frames by hand, so that a test can send
// wrong ones too.

#include <poll.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "rpc/testing/http_client.hpp"

namespace keel::rpc {

class WsClient {
  public:
    enum Opcode : uint8_t {
        kContinuation = 0,
        kText = 1,
        kBinary = 2,
        kClose = 8,
        kPing = 9,
        kPong = 10
    };

    struct Frame {
        uint8_t opcode = 0;
        bool is_final = true;
        std::string payload;
    };

    explicit WsClient(uint16_t port, std::string_view headers = {}, std::string_view path = "/")
        : socket_(port) {
        std::string request = "GET ";
        request += path;
        request +=
            " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        request += headers;
        request += "\r\n";
        if (!socket_.send(request)) return;
        if (auto answer = socket_.receive()) answer_ = *std::move(answer);
    }

    /// The answer to the handshake.
    const HttpAnswer& answer() const { return answer_; }
    bool is_open() const { return answer_.status == 101; }
    int descriptor() const { return socket_.descriptor(); }

    bool send(std::string_view payload, uint8_t opcode = kText, bool is_final = true) const {
        std::string frame;
        frame += static_cast<char>((is_final ? 0x80U : 0U) | opcode);
        if (payload.size() < 126) {
            frame += static_cast<char>(0x80U | payload.size());
        } else {
            const unsigned bytes = payload.size() < 65'536 ? 2 : 8;
            frame += static_cast<char>(0x80U | (bytes == 2 ? 126U : 127U));
            for (unsigned i = bytes; i > 0; --i) {
                frame += static_cast<char>(payload.size() >> (8 * (i - 1)));
            }
        }
        const char mask[4] = {1, 2, 3, 4};
        frame.append(mask, 4);
        for (size_t i = 0; i < payload.size(); ++i) {
            frame += static_cast<char>(payload[i] ^ mask[i % 4]);
        }
        return socket_.send(frame);
    }
    /// None: the server has closed, or sends nothing.
    std::optional<Frame> receive_frame() {
        const auto head = socket_.receive_bytes(2);
        if (!head) return std::nullopt;
        Frame frame;
        const auto byte = [](char character) { return static_cast<uint8_t>(character); };
        frame.opcode = byte((*head)[0]) & 15U;
        frame.is_final = (byte((*head)[0]) & 0x80U) != 0;
        uint64_t size = byte((*head)[1]) & 0x7fU;
        if (size >= 126) {
            const auto longer = socket_.receive_bytes(size == 126 ? 2 : 8);
            if (!longer) return std::nullopt;
            size = 0;
            for (const char each : *longer) size = size << 8U | byte(each);
        }
        auto payload = socket_.receive_bytes(size);
        if (!payload) return std::nullopt;
        frame.payload = *std::move(payload);
        return frame;
    }
    /// The next text; pings on the way are answered. None: closed.
    std::optional<std::string> receive() {
        std::string text;
        while (auto frame = receive_frame()) {
            if (frame->opcode == kPing) {
                send(frame->payload, kPong);
            } else if (frame->opcode == kClose) {
                close_code = frame->payload.size() < 2
                                 ? 0
                                 : static_cast<uint8_t>(frame->payload[0]) << 8 |
                                       static_cast<uint8_t>(frame->payload[1]);
                return std::nullopt;
            } else if (frame->opcode <= kBinary) {
                text += frame->payload;
                if (frame->is_final) return text;
            }
        }
        return std::nullopt;
    }
    std::optional<std::string> ask(std::string_view text) {
        if (!send(text)) return std::nullopt;
        return receive();
    }
    /// Whether something comes within the time.
    bool has_more(int timeout_ms) {
        if (socket_.has_received()) return true;
        pollfd wanted{.fd = socket_.descriptor(), .events = POLLIN, .revents = 0};
        return ::poll(&wanted, 1, timeout_ms) > 0;
    }

    int close_code = 0;  // of the server's goodbye

  private:
    RawHttpClient socket_;
    HttpAnswer answer_;
};

}  // namespace keel::rpc
