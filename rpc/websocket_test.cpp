#include <gtest/gtest.h>

#include <fmt/format.h>
#include <atomic>
#include <random>
#include <thread>

#include "core/clock.hpp"
#include "core/hex.hpp"
#include "rpc/http.hpp"
#include "rpc/http_rules.hpp"
#include "rpc/testing/serving.hpp"
#include "rpc/testing/ws_client.hpp"

namespace keel::rpc {
namespace {

class WebSocket : public Serving {
  protected:
    uint16_t serve(ListenerOptions options = {}, ServerOptions server_options = {}) {
        options.websocket.dispatcher = &dispatcher;
        return Serving::serve(std::move(options), std::move(server_options));
    }
};

TEST_F(WebSocket, shakes_hands_as_the_rfc_says_and_answers) {
    WsClient client(serve());
    ASSERT_TRUE(client.is_open());
    // RFC 6455, 1.3: the answer to the sample key.
    EXPECT_EQ(client.answer().headers.at("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    EXPECT_EQ(client.answer().headers.at("server"), "keel");
    for (int i = 0; i < 100; ++i) EXPECT_EQ(client.ask(kCall), kAnswer);
    EXPECT_EQ(client.ask("{"),
              R"({"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"parse error"}})");
    EXPECT_EQ(client.ask("[" + kCall + "," + kCall + "]"), "[" + kAnswer + "," + kAnswer + "]");
}

TEST_F(WebSocket, the_same_port_goes_on_to_serve_http) {
    const uint16_t port = serve();
    RawHttpClient http(port);
    EXPECT_EQ(http.ask(kCall)->body, kAnswer);
    WsClient client(port);
    EXPECT_EQ(client.ask(kCall), kAnswer);
    EXPECT_EQ(http.ask(kCall)->body, kAnswer);
}

TEST_F(WebSocket, a_port_of_its_own_serves_no_http) {
    server = std::make_unique<HttpServer>(ServerOptions{});
    const uint16_t port =
        server->listen({.name = "ws", .port = 0, .websocket = {.dispatcher = &dispatcher}});
    server->start();
    EXPECT_EQ(RawHttpClient(port).ask(kCall)->status, 404);
    EXPECT_EQ(WsClient(port).ask(kCall), kAnswer);
}

TEST_F(WebSocket, joins_fragments_takes_binary_and_answers_pings) {
    WsClient client(serve());
    ASSERT_TRUE(client.send(kCall.substr(0, 9), WsClient::kText, false));
    ASSERT_TRUE(client.send("are you there", WsClient::kPing));
    ASSERT_TRUE(client.send(kCall.substr(9, 5), WsClient::kContinuation, false));
    ASSERT_TRUE(client.send(kCall.substr(14), WsClient::kContinuation));
    const auto pong = client.receive_frame();
    ASSERT_TRUE(pong);
    EXPECT_EQ(pong->opcode, WsClient::kPong);
    EXPECT_EQ(pong->payload, "are you there");
    const auto answer = client.receive_frame();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->opcode, WsClient::kText);
    EXPECT_EQ(answer->payload, kAnswer);
    ASSERT_TRUE(client.send(kCall, WsClient::kBinary));
    EXPECT_EQ(client.receive(), kAnswer);
}

TEST_F(WebSocket, many_requests_at_once_are_all_answered) {
    WsClient client(serve());
    const std::string contract = core::to_hex_prefixed(store.contract);
    constexpr int kCount = 200;
    for (int id = 0; id < kCount; ++id) {
        const std::string head = fmt::format(R"({{"jsonrpc":"2.0","id":{},"method":)", id);
        ASSERT_TRUE(client.send(id % 3 == 0 ? head + R"("eth_call","params":[{"to":")" + contract +
                                                  R"("}]})"
                                            : head + R"("eth_blockNumber"})"));
    }
    std::vector<int> answers(kCount);
    for (int i = 0; i < kCount; ++i) {
        const auto answer = client.receive();
        ASSERT_TRUE(answer);
        const std::string head = R"({"jsonrpc":"2.0","id":)";
        ASSERT_TRUE(answer->starts_with(head)) << *answer;
        ++answers.at(static_cast<size_t>(std::stoi(answer->substr(head.size()))));
    }
    EXPECT_EQ(answers, std::vector<int>(kCount, 1));
}

TEST_F(WebSocket, a_large_message_comes_whole_and_one_too_large_ends_the_connection) {
    ListenerOptions options;
    options.websocket.message_bytes_max = 1 << 20;
    const uint16_t port = serve(options);
    WsClient client(port);
    EXPECT_EQ(client.ask(kCall + std::string(1'000'000, ' ')), kAnswer);
    EXPECT_EQ(client.ask(kCall), kAnswer);
    client.send(kCall + std::string(2 << 20, ' '));
    EXPECT_FALSE(client.receive());
    EXPECT_EQ(client.close_code, 1009);
    EXPECT_EQ(WsClient(port).ask(kCall), kAnswer);
}

TEST_F(WebSocket, pages_of_other_hosts_are_refused) {
    const uint16_t port = serve();
    EXPECT_TRUE(WsClient(port).is_open());
    EXPECT_TRUE(WsClient(port, "Origin: http://localhost:3000\r\n").is_open());
    EXPECT_EQ(WsClient(port, "Origin: http://evil.example\r\n").answer().status, 403);
    ListenerOptions options;
    options.websocket.origins = {"https://a.example", "b.example"};
    const uint16_t other = serve(options);
    EXPECT_TRUE(WsClient(other, "Origin: https://a.example\r\n").is_open());
    EXPECT_EQ(WsClient(other, "Origin: http://a.example\r\n").answer().status, 403);
    EXPECT_TRUE(WsClient(other, "Origin: http://b.example:81\r\n").is_open());
    EXPECT_EQ(WsClient(other, "Origin: http://localhost\r\n").answer().status, 403);
}

TEST_F(WebSocket, a_wrong_path_or_no_offer_is_no_upgrade) {
    ListenerOptions options;
    options.websocket.path = "/ws";
    const uint16_t port = serve(options);
    EXPECT_EQ(WsClient(port).answer().status, 404);
    EXPECT_TRUE(WsClient(port, {}, "/ws").is_open());
    server = std::make_unique<HttpServer>(ServerOptions{});
    const uint16_t plain = server->listen({.port = 0, .dispatcher = &dispatcher});
    server->start();
    EXPECT_EQ(WsClient(plain).answer().status, 200);  // a GET as any other
}

TEST_F(WebSocket, a_token_is_asked_for_once) {
    const uint16_t port = serve({.jwt_secret = JwtSecret{}});
    EXPECT_EQ(WsClient(port).answer().status, 401);
    const std::string token = make_token(JwtSecret{}, static_cast<int64_t>(core::wall_clock_s()));
    WsClient client(port, "Authorization: Bearer " + token + "\r\n");
    ASSERT_TRUE(client.is_open());
    EXPECT_EQ(client.ask(kCall), kAnswer);
    EXPECT_EQ(client.ask(kCall), kAnswer);
}

TEST_F(WebSocket, pings_who_is_silent_and_ends_who_does_not_answer) {
    const uint16_t port = serve({}, {.ping_ms = 1000});
    WsClient client(port);
    const auto ping = client.receive_frame();
    ASSERT_TRUE(ping);
    EXPECT_EQ(ping->opcode, WsClient::kPing);
    ASSERT_TRUE(client.send(ping->payload, WsClient::kPong));
    EXPECT_EQ(client.ask(kCall), kAnswer);
    WsClient dead(port);
    size_t frames = 0;
    while (dead.receive_frame()) ++frames;
    EXPECT_LE(frames, 3U);
}

TEST_F(WebSocket, says_goodbye_when_the_server_stops_and_waits_for_answers) {
    const uint16_t port = serve();
    WsClient idle(port);
    WsClient busy(port);
    ASSERT_TRUE(idle.is_open() && busy.is_open());
    ASSERT_TRUE(
        busy.send(R"({"jsonrpc":"2.0","id":1,"method":"eth_getBlockReceipts","params":["0x1"]})"));
    ASSERT_TRUE(busy.receive());
    std::jthread stopping([this] { server->stop(); });
    EXPECT_FALSE(idle.receive());
    EXPECT_EQ(idle.close_code, 1001);
    EXPECT_TRUE(idle.send(std::string("\x03\xe9", 2), WsClient::kClose));
    EXPECT_FALSE(busy.receive());
}

TEST_F(WebSocket, counts_against_the_limit_of_connections) {
    const uint16_t port = serve({}, {.connections_max = 2});
    WsClient first(port);
    {
        const WsClient second(port);
        EXPECT_TRUE(second.is_open());
        EXPECT_EQ(WsClient(port).answer().status, 503);
    }
    EXPECT_EQ(first.ask(kCall), kAnswer);
    // The place comes free when the server has seen the end.
    bool is_open = false;
    for (int i = 0; i < 100 && !is_open; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        is_open = WsClient(port).is_open();
    }
    EXPECT_TRUE(is_open);
}

TEST_F(WebSocket, damaged_frames_harm_only_their_connection) {
    const uint16_t port = serve();
    const char* const given = std::getenv("KEEL_SEED");
    const uint64_t seed =
        given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    SCOPED_TRACE("KEEL_SEED=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    for (int i = 0; i < 100; ++i) {
        const WsClient client(port);
        std::string bytes(random() % 200 + 1, '\0');
        for (char& each : bytes) each = static_cast<char>(random());
        if (random() % 2 == 0) bytes[0] = static_cast<char>(0x81);
        ::send(client.descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
    EXPECT_EQ(WsClient(port).ask(kCall), kAnswer);
}

TEST_F(WebSocket, clients_on_several_threads) {
    const uint16_t port = serve({}, {.io_threads = 3, .pool_threads = 2});
    const std::string heavy =
        R"({"jsonrpc":"2.0","id":1,"method":"eth_getBlockReceipts","params":["0x1"]})";
    std::atomic<int> good = 0;
    {
        std::vector<std::jthread> clients;
        for (int i = 0; i < 8; ++i) {
            clients.emplace_back([&] {
                WsClient client(port);
                for (int k = 0; k < 50; ++k) {
                    const auto cheap = client.ask(kCall);
                    const auto other = client.ask(heavy);
                    if (cheap == kAnswer && other && other->size() > 100) ++good;
                }
            });
        }
    }
    EXPECT_EQ(good, 400);
}

TEST(HttpRules, origins_of_pages) {
    EXPECT_TRUE(websocket_origin_allowed("http://localhost", {}));
    EXPECT_TRUE(websocket_origin_allowed("https://localhost:8080", {}));
    EXPECT_FALSE(websocket_origin_allowed("http://localhost.example", {}));
    EXPECT_FALSE(websocket_origin_allowed("null", {}));
    EXPECT_TRUE(websocket_origin_allowed("null", {"*"}));
    EXPECT_TRUE(websocket_origin_allowed("http://[::1]:80", {"[::1]"}));
    EXPECT_TRUE(websocket_origin_allowed("http://a.example:80", {"a.example:80"}));
    EXPECT_FALSE(websocket_origin_allowed("http://a.example:81", {"a.example:80"}));
}

}  // namespace
}  // namespace keel::rpc
