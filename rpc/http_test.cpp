#include "rpc/http.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>
#include <algorithm>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <cstdlib>
#include <optional>
#include <random>
#include <thread>

#include "core/fault.hpp"
#include "core/hex.hpp"
#include "rpc/http_request.hpp"
#include "rpc/http_rules.hpp"
#include "rpc/testing/http_client.hpp"
#include "rpc/testing/serving.hpp"

namespace keel::rpc {
namespace {

class Http : public Serving {};

TEST_F(Http, answers_many_requests_on_one_connection) {
    RawHttpClient client(serve());
    for (int i = 0; i < 100; ++i) {
        const auto answer = client.ask(kCall);
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->status, 200);
        EXPECT_EQ(answer->body, kAnswer);
        EXPECT_EQ(answer->headers.at("content-type"), "application/json");
        EXPECT_FALSE(answer->headers.contains("connection"));
    }
}

TEST_F(Http, answers_pipelined_requests_in_order_cheap_and_heavy_mixed) {
    RawHttpClient client(serve());
    std::string requests;
    const auto call = [](int id, const std::string& method, const std::string& params) {
        return R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"method":")" + method +
               R"(","params":)" + params + "}";
    };
    const std::string contract = core::to_hex_prefixed(store.contract);
    for (int id = 0; id < 40; ++id) {
        requests += RawHttpClient::request(
            "POST", "/",
            id % 3 == 0 ? call(id, "eth_call", R"([{"to":")" + contract + R"("}])")
                        : call(id, "eth_blockNumber", "[]"));
    }
    ASSERT_TRUE(client.send(requests));
    for (int id = 0; id < 40; ++id) {
        const auto answer = client.receive();
        ASSERT_TRUE(answer);
        EXPECT_TRUE(answer->body.starts_with(R"({"jsonrpc":"2.0","id":)" + std::to_string(id) +
                                             R"(,"result":)"))
            << answer->body;
    }
}

TEST_F(Http, takes_a_request_byte_by_byte) {
    RawHttpClient client(serve());
    for (const char byte : RawHttpClient::request("POST", "/", kCall)) {
        ASSERT_TRUE(client.send(std::string_view(&byte, 1)));
    }
    EXPECT_EQ(client.receive()->body, kAnswer);
}

TEST_F(Http, takes_chunked_bodies_and_counts_them) {
    RawHttpClient client(serve({.body_bytes_max = 1000}));
    const std::string head =
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json; charset=utf-8\r\n"
        "Transfer-Encoding: chunked\r\n\r\n";
    const std::string first = kCall.substr(0, 10);
    const std::string second = kCall.substr(10);
    const auto chunk = [](const std::string& bytes) {
        return fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes);
    };
    ASSERT_TRUE(client.send(head + chunk(first) + chunk(second) + "0\r\n\r\n"));
    EXPECT_EQ(client.receive()->body, kAnswer);
    ASSERT_TRUE(client.send(head + chunk(std::string(600, ' ')) + chunk(std::string(600, ' '))));
    EXPECT_EQ(client.receive()->status, 413);
}

/// What is read of a request that comes in pieces of a size, what is not taken again with the next.
std::optional<std::string> body_in_pieces(std::string_view request, size_t piece) {
    RequestHead head;
    std::string collected;
    RequestParser parser(head, collected, 1000);
    size_t begin = 0;
    for (size_t end = 0; end < request.size() && !parser.is_done();) {
        end = std::min(request.size(), end + piece);
        for (bool goes_on = true; goes_on && begin < end && !parser.is_done();) {
            boost::beast::error_code error;
            const size_t taken =
                parser.put(boost::asio::const_buffer(request.data() + begin, end - begin), error);
            if (error && error != boost::beast::http::error::need_more) return std::nullopt;
            begin += taken;
            goes_on = taken != 0 && !error;
        }
    }
    if (!parser.is_done()) return std::nullopt;
    return std::string(parser.body());
}

TEST(RequestParser, a_chunked_body_may_be_cut_anywhere) {
    const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    const struct {
        std::string_view chunks, body;
    } cases[] = {
        {"0\r\n\r\n", ""},
        {"0\r\nA: b\r\n\r\n", ""},
        {"0;a=b\r\n\r\n", ""},
        {"2\r\n[]\r\n0\r\n\r\n", "[]"},
        {"1\r\n[\r\n1;x\r\n]\r\n00\r\nA: b\r\n\r\n", "[]"},
    };
    for (const auto& [chunks, body] : cases) {
        const std::string request = head + std::string(chunks);
        for (size_t piece = 1; piece <= request.size(); ++piece) {
            EXPECT_EQ(body_in_pieces(request, piece), body) << chunks << " by " << piece;
        }
    }
}

TEST_F(Http, a_large_body_comes_whole) {
    RawHttpClient client(serve());
    const auto answer = client.ask(kCall + std::string(3 << 20, ' '));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body, kAnswer);
    EXPECT_EQ(client.ask(kCall)->body, kAnswer);
}

TEST_F(Http, refuses_a_body_that_is_too_large_before_reading_it) {
    RawHttpClient client(serve());
    ASSERT_TRUE(
        client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                    "Content-Length: 5242881\r\n\r\n"));
    const auto answer = client.receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 413);
    EXPECT_EQ(answer->headers.at("connection"), "close");
    EXPECT_TRUE(client.is_closed());
}

TEST_F(Http, a_client_that_sends_a_too_large_body_all_the_same_gets_the_answer) {
    RawHttpClient client(serve());
    ASSERT_TRUE(client.post(std::string(6 << 20, 'x')));
    EXPECT_EQ(client.receive()->status, 413);
}

TEST_F(Http, continues_when_asked_to) {
    RawHttpClient client(serve());
    ASSERT_TRUE(
        client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                    "Expect: 100-continue\r\nContent-Length: " +
                    std::to_string(kCall.size()) + "\r\n\r\n"));
    EXPECT_EQ(client.receive()->status, 100);
    ASSERT_TRUE(client.send(kCall));
    EXPECT_EQ(client.receive()->body, kAnswer);
}

TEST_F(Http, bad_json_is_an_answer_and_leaves_the_connection_usable) {
    RawHttpClient client(serve());
    const auto answer = client.ask("{");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body,
              R"({"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"parse error"}})");
    EXPECT_EQ(client.ask(kCall)->body, kAnswer);
}

TEST_F(Http, batches_and_notifications) {
    RawHttpClient client(serve());
    EXPECT_EQ(client.ask("[" + kCall + "," + kCall + "]")->body,
              "[" + kAnswer + "," + kAnswer + "]");
    const auto silent = client.ask(R"({"jsonrpc":"2.0","method":"eth_blockNumber"})");
    ASSERT_TRUE(silent);
    EXPECT_EQ(silent->status, 200);
    EXPECT_EQ(silent->headers.at("content-length"), "0");
    std::string batch = "[" + kCall;
    std::string answers = "[" + kAnswer;
    for (int i = 0; i < 500; ++i) {
        batch += "," + kCall;
        answers += "," + kAnswer;
    }
    EXPECT_EQ(client.ask(batch + "]")->body, answers + "]");
}

TEST_F(Http, methods_paths_and_content_types) {
    const uint16_t port = serve();
    const auto status = [port](const std::string& request) {
        RawHttpClient client(port);
        client.send(request);
        const auto answer = client.receive();
        return answer ? answer->status : 0;
    };
    const std::string body = "\r\nContent-Length: 0\r\n\r\n";
    EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), 200);
    EXPECT_EQ(status("PUT / HTTP/1.1\r\nHost: localhost" + body), 405);
    EXPECT_EQ(status("DELETE / HTTP/1.1\r\nHost: localhost" + body), 405);
    EXPECT_EQ(status("OPTIONS / HTTP/1.1\r\nHost: localhost" + body), 200);
    EXPECT_EQ(status(RawHttpClient::request("POST", "/x", kCall)), 404);
    EXPECT_EQ(status("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n1"), 415);
    EXPECT_EQ(status("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
                     "Content-Length: 1\r\n\r\n1"),
              415);
    EXPECT_EQ(status("nonsense\r\n\r\n"), 400);
    EXPECT_EQ(
        status("GET / HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n"),
        431);
}

TEST_F(Http, http_1_0_and_connection_close_end_the_connection) {
    const uint16_t port = serve();
    RawHttpClient old(port);
    ASSERT_TRUE(old.send("POST / HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: " +
                         std::to_string(kCall.size()) + "\r\n\r\n" + kCall));
    EXPECT_EQ(old.receive()->body, kAnswer);
    EXPECT_TRUE(old.is_closed());
    RawHttpClient closing(port);
    EXPECT_EQ(closing.ask(kCall, "Connection: close\r\n")->headers.at("connection"), "close");
    EXPECT_TRUE(closing.is_closed());
}

TEST_F(Http, checks_the_host_against_the_list) {
    std::string noted;
    const uint16_t port = serve({.vhosts = {"localhost", "node.example"}},
                                {.on_note = [&noted](std::string_view text) { noted = text; }});
    const auto status = [port](const std::string& host) {
        RawHttpClient client(port);
        client.send("GET / HTTP/1.1\r\n" + host + "\r\n");
        return client.receive()->status;
    };
    EXPECT_EQ(status(""), 200);
    EXPECT_EQ(status("Host: localhost:8545\r\n"), 200);
    EXPECT_EQ(status("Host: NODE.example\r\n"), 200);
    EXPECT_EQ(status("Host: 10.0.0.1:8545\r\n"), 200);
    EXPECT_EQ(status("Host: [::1]:8545\r\n"), 200);
    EXPECT_EQ(status("Host: evil.example\r\n"), 403);
    server->stop();
    EXPECT_EQ(noted, "refused host \"evil.example\": allow it with --http.vhosts");
}

TEST_F(Http, cross_origin_requests_need_the_flag) {
    const uint16_t closed = serve();
    EXPECT_FALSE(RawHttpClient(closed)
                     .ask(kCall, "Origin: http://a.example\r\n")
                     ->headers.contains("access-control-allow-origin"));
    const uint16_t port = serve({.cors_domains = {"http://a.example"}});
    RawHttpClient client(port);
    const auto allowed = client.ask(kCall, "Origin: http://a.example\r\n");
    EXPECT_EQ(allowed->headers.at("access-control-allow-origin"), "http://a.example");
    EXPECT_EQ(allowed->headers.at("vary"), "Origin");
    EXPECT_FALSE(client.ask(kCall, "Origin: http://b.example\r\n")
                     ->headers.contains("access-control-allow-origin"));
    ASSERT_TRUE(
        client.send("OPTIONS / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://a.example\r\n"
                    "Access-Control-Request-Method: POST\r\n"
                    "Access-Control-Request-Headers: content-type\r\n\r\n"));
    const auto preflight = client.receive();
    EXPECT_EQ(preflight->status, 204);
    EXPECT_EQ(preflight->headers.at("access-control-allow-origin"), "http://a.example");
    EXPECT_EQ(preflight->headers.at("access-control-allow-headers"), "content-type");
    EXPECT_EQ(preflight->headers.at("access-control-max-age"), "600");
    EXPECT_EQ(client.ask(kCall)->body, kAnswer);
}

TEST_F(Http, who_connects_and_goes_disturbs_nobody) {
    std::string noted;
    const uint16_t port = serve({}, {.on_note = [&noted](std::string_view text) { noted = text; }});
    for (int i = 0; i < 50; ++i) EXPECT_TRUE(RawHttpClient(port).connected());
    EXPECT_EQ(RawHttpClient(port).ask(kCall)->body, kAnswer);
    server->stop();
    EXPECT_EQ(noted, "");
}

TEST_F(Http, refuses_connections_beyond_the_limit) {
    const uint16_t port = serve({}, {.connections_max = 2});
    RawHttpClient first(port);
    RawHttpClient second(port);
    EXPECT_EQ(first.ask(kCall)->status, 200);
    EXPECT_EQ(second.ask(kCall)->status, 200);
    RawHttpClient third(port);
    EXPECT_EQ(third.receive()->status, 503);
}

TEST_F(Http, a_slow_client_gets_a_large_answer_whole) {
    const uint16_t port = serve();
    RawHttpClient client(port);
    const int small = 4096;
    ::setsockopt(client.descriptor(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    std::string batch = "[" + kCall;
    for (int i = 0; i < 999; ++i) batch += "," + kCall;
    batch += "]";
    // More than the socket takes at once, three times over.
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(client.post(batch));
    for (int i = 0; i < 3; ++i) {
        const auto answer = client.receive();
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->body.size(), 1000 * (kAnswer.size() + 1) + 1);
    }
}

TEST_F(Http, ends_connections_that_say_nothing) {
    const uint16_t port = serve({}, {.header_timeout_ms = 1, .idle_timeout_ms = 1});
    RawHttpClient silent(port);
    EXPECT_TRUE(silent.is_closed());
    RawHttpClient idle(port);
    // The tick may come before the request: then there is no answer either.
    idle.ask(kCall);
    EXPECT_TRUE(idle.is_closed());
}

TEST_F(Http, many_clients_on_several_threads) {
    const uint16_t port = serve({}, {.io_threads = 3, .pool_threads = 2});
    const std::string heavy =
        R"({"jsonrpc":"2.0","id":1,"method":"eth_getBlockReceipts","params":["0x1"]})";
    std::atomic<int> good = 0;
    {
        std::vector<std::jthread> clients;
        for (int i = 0; i < 8; ++i) {
            clients.emplace_back([&] {
                RawHttpClient client(port);
                for (int k = 0; k < 50; ++k) {
                    const auto cheap = client.ask(kCall);
                    const auto other = client.ask(heavy);
                    if (cheap && cheap->body == kAnswer && other && other->status == 200) ++good;
                }
            });
        }
    }
    EXPECT_EQ(good, 400);
}

TEST_F(Http, damaged_requests_harm_only_their_connection) {
    const uint16_t port = serve();
    const char* const given = std::getenv("KEEL_SEED");
    const uint64_t seed =
        given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    SCOPED_TRACE("KEEL_SEED=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    const std::string chunked =
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n";
    for (int i = 0; i < 300; ++i) {
        std::string bytes = RawHttpClient::request("POST", "/", kCall) + chunked;
        for (uint64_t edits = random() % 8 + 1; edits > 0; --edits) {
            bytes[random() % bytes.size()] = static_cast<char>(random());
        }
        bytes.resize(random() % bytes.size() + 1);
        const RawHttpClient client(port);
        client.send(bytes);
    }
    EXPECT_EQ(RawHttpClient(port).ask(kCall)->body, kAnswer);
}

TEST_F(Http, stops_with_clients_connected_and_can_be_stopped_again) {
    const uint16_t port = serve();
    RawHttpClient idle(port);
    ASSERT_TRUE(idle.ask(kCall));
    RawHttpClient half(port);
    half.send("POST / HTTP/1.1\r\n");
    server->stop();
    EXPECT_TRUE(idle.is_closed());
    EXPECT_TRUE(half.is_closed());
    EXPECT_FALSE(RawHttpClient(port).connected());
    server->stop();
}

TEST_F(Http, says_who_cannot_listen_where) {
    const uint16_t port = serve();
    HttpServer second({});
    ListenerOptions options{.port = port, .dispatcher = &dispatcher};
    try {
        second.listen(options);
        FAIL();
    } catch (const core::Fault& fault) {
        EXPECT_EQ(fault.kind(), core::FaultKind::Failed);
        EXPECT_EQ(fault.message(),
                  fmt::format("cannot listen on 127.0.0.1:{}: Address already in use; stop who "
                              "listens there, or choose another with --http.port (0: any that is "
                              "free)",
                              port));
    }
    options.address = "nowhere";
    EXPECT_THROW(second.listen(options), core::Fault);
}

TEST_F(Http, two_listeners_serve_their_own_methods) {
    const Dispatcher net_only(store.backend, {"net"}, {});
    server = std::make_unique<HttpServer>(ServerOptions{});
    const uint16_t all = server->listen({.port = 0, .dispatcher = &dispatcher});
    const uint16_t some = server->listen({.name = "authrpc", .port = 0, .dispatcher = &net_only});
    server->start();
    EXPECT_EQ(RawHttpClient(all).ask(kCall)->body, kAnswer);
    EXPECT_NE(RawHttpClient(some).ask(kCall)->body.find("-32601"), std::string::npos);
}

TEST(HttpRules, media_types_hosts_and_codings) {
    EXPECT_TRUE(is_json_content_type("application/json"));
    EXPECT_TRUE(is_json_content_type("Application/JSON ; charset=utf-8"));
    EXPECT_TRUE(is_json_content_type("application/json-rpc"));
    EXPECT_TRUE(is_json_content_type("application/jsonrequest"));
    EXPECT_FALSE(is_json_content_type("application/jsonx"));
    EXPECT_FALSE(is_json_content_type(""));
    EXPECT_TRUE(host_allowed("::1", {}));
    EXPECT_TRUE(host_allowed("127.0.0.1", {}));
    EXPECT_TRUE(host_allowed("any.example:1", {"*"}));
    EXPECT_FALSE(host_allowed("1.2.3.4.example", {"localhost"}));
    EXPECT_FALSE(host_allowed("localhost.example", {"localhost"}));
    EXPECT_TRUE(accepts_gzip("gzip"));
    EXPECT_TRUE(accepts_gzip("deflate, GZIP;q=0.5"));
    EXPECT_FALSE(accepts_gzip("gzip;q=0, br"));
    EXPECT_FALSE(accepts_gzip("x-gzip"));
}

}  // namespace
}  // namespace keel::rpc
