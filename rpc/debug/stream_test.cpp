// Traces that go to the client while they are made: whole, in constant memory, ended properly.

#include <gtest/gtest.h>

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/hex.hpp"
#include "rpc/random_id.hpp"
#include "rpc/stream.hpp"
#include "rpc/testing/http_client.hpp"
#include "rpc/testing/local_client.hpp"
#include "rpc/testing/serving.hpp"
#include "rpc/testing/ws_client.hpp"

namespace keel::rpc {
namespace {

using nlohmann::json;

constexpr const char* kTo = "0xc0de00000000000000000000000000000000c0de";
// JUMPDEST PUSH1 0 JUMP, for ever: three entries for 12 gas.
constexpr const char* kLoop = "0x5b600056";

std::string trace_of_loop(uint64_t gas, const char* timeout = "300s") {
    const json options = {{"timeout", timeout}, {"stateOverrides", {{kTo, {{"code", kLoop}}}}}};
    const json params = {
        {{"to", kTo}, {"gas", core::U256(21'000 + gas).to_quantity()}}, "latest", options};
    return json{{"jsonrpc", "2.0"}, {"id", 7}, {"method", "debug_traceCall"}, {"params", params}}
        .dump();
}

uint64_t resident_bytes() {
    std::ifstream file("/proc/self/statm");
    uint64_t all = 0;
    uint64_t resident = 0;
    file >> all >> resident;
    return resident * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

/// Keeps what it is given, or only counts it.
class Collector final : public Stream {
  public:
    explicit Collector(bool keeps, uint64_t bytes_max = UINT64_MAX)
        : keeps_(keeps), bytes_max_(bytes_max) {}
    std::string text;
    size_t largest = 0;
    std::chrono::milliseconds first_takes{0};  // how long the client needs for the first part

  private:
    bool take(std::string_view part) override {
        if (largest == 0) std::this_thread::sleep_for(first_takes);
        largest = std::max(largest, part.size());
        if (keeps_) text += part;
        return bytes() <= bytes_max_;
    }
    bool keeps_;
    uint64_t bytes_max_;
};

class Streams : public testing::Test {
  protected:
    /// What is left in the answer's buffer.
    std::string run(Stream* stream, std::string body) {
        const Dispatcher dispatcher(store.backend, {"debug"}, {});
        const size_t size = body.size();
        body.append(kJsonPadding, 'z');
        (void)dispatcher.parse(exchange, std::string_view(body).substr(0, size));
        exchange.stream = stream;
        dispatcher.run(exchange, worker);
        return std::string(exchange.out.text());
    }

    SmallStore store;
    Exchange exchange;
    Worker worker;
};

TEST_F(Streams, parts_make_the_same_answer_as_the_whole) {
    const std::string request = trace_of_loop(300'000);
    const std::string whole = run(nullptr, request);
    Collector collector(true);
    const std::string rest = run(&collector, request);
    EXPECT_GT(collector.text.size(), 4 * Stream::kPartBytes);
    EXPECT_LT(collector.largest, 2 * Stream::kPartBytes);
    EXPECT_FALSE(collector.is_broken());
    EXPECT_TRUE(collector.text + rest == whole);
    EXPECT_EQ(json::parse(whole)["result"]["structLogs"].size(), 75'001U);
}

TEST_F(Streams, a_small_trace_goes_as_a_whole) {
    Collector collector(true);
    const std::string answer = run(&collector, trace_of_loop(3'000));
    EXPECT_FALSE(collector.has_begun());
    EXPECT_EQ(json::parse(answer)["id"], 7);
}

TEST_F(Streams, what_ends_a_trace_later_stands_behind_its_entries) {
    Collector collector(true, 2 * Stream::kPartBytes);  // takes no more
    const std::string rest = run(&collector, trace_of_loop(300'000));
    EXPECT_TRUE(rest.ends_with(R"(],"error":"the client does not take the trace"}})")) << rest;
}

TEST_F(Streams, the_time_limit_becomes_an_error_member_and_the_text_stays_json) {
    // The time is up while the client takes the first part, which any machine has made by then.
    Collector collector(true);
    collector.first_takes = std::chrono::milliseconds(2'500);
    const std::string rest = run(&collector, trace_of_loop(40'000'000, "2s"));
    ASSERT_TRUE(collector.has_begun());
    const json answer = json::parse(collector.text + rest, nullptr, false);
    ASSERT_TRUE(answer.is_object());
    EXPECT_EQ(answer["result"]["error"], "execution timeout");
    EXPECT_FALSE(answer["result"].contains("gas"));
}

class StreamingHttp : public Serving {
  protected:
    uint16_t serve_debug() { return serve({}, {}, {"eth", "debug"}); }
};

TEST_F(StreamingHttp, memory_stays_flat_while_a_slow_client_takes_a_large_trace) {
    RawHttpClient client(serve_debug());
    ASSERT_TRUE(client.ask(R"({"jsonrpc":"2.0","id":1,"method":"eth_blockNumber"})"));
    const uint64_t before = resident_bytes();
    ASSERT_TRUE(client.post(trace_of_loop(2'400'000), "Connection: close\r\n"));
    uint64_t total = 0;
    uint64_t peak = 0;
    while (const auto part = client.receive_bytes(16'384)) {
        total += part->size();
        peak = std::max(peak, resident_bytes());
        if (total % (size_t{4} << 20) < part->size()) {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
    }
    EXPECT_GT(total, uint64_t{40'000'000});
    EXPECT_LT(peak, before + (uint64_t{16} << 20)) << "of " << total;
}

TEST_F(StreamingHttp, chunks_end_and_the_connection_goes_on) {
    RawHttpClient client(serve_debug());
    ASSERT_TRUE(client.post(trace_of_loop(120'000)));
    const auto answer = client.receive_chunked();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->headers.at("transfer-encoding"), "chunked");
    EXPECT_FALSE(answer->headers.contains("content-length"));
    const json body = json::parse(answer->body);
    EXPECT_EQ(body["id"], 7);
    EXPECT_EQ(body["result"]["structLogs"].size(), 30'001U);
    EXPECT_EQ(client.ask(R"({"jsonrpc":"2.0","id":1,"method":"eth_chainId"})")->status, 200);
}

TEST_F(StreamingHttp, a_client_that_goes_ends_the_trace) {
    const uint16_t port = serve_debug();
    {
        RawHttpClient client(port);
        ASSERT_TRUE(client.post(trace_of_loop(40'000'000)));
        ASSERT_TRUE(client.receive_bytes(1'000));
    }
    // The one thread of the traces is free again.
    RawHttpClient next(port);
    ASSERT_TRUE(next.post(trace_of_loop(3'000)));
    const auto answer = next.receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(json::parse(answer->body)["id"], 7);
}

TEST_F(StreamingHttp, a_websocket_gets_fragments_and_memory_stays_flat) {
    Dispatcher debugging(store.backend, {"eth", "debug"}, {});
    ListenerOptions options;
    options.websocket.dispatcher = &debugging;
    WsClient client(serve(std::move(options), {}, {"eth", "debug"}));
    ASSERT_TRUE(client.ask(R"({"jsonrpc":"2.0","id":1,"method":"eth_chainId"})"));
    const uint64_t before = resident_bytes();
    ASSERT_TRUE(client.send(trace_of_loop(2'400'000)));
    uint64_t total = 0;
    uint64_t peak = 0;
    size_t fragments = 0;
    std::string end;
    for (;;) {
        const auto frame = client.receive_frame();
        ASSERT_TRUE(frame);
        EXPECT_EQ(frame->opcode, fragments == 0 ? WsClient::kText : WsClient::kContinuation);
        total += frame->payload.size();
        ++fragments;
        peak = std::max(peak, resident_bytes());
        end = frame->payload;
        if (frame->is_final) break;
    }
    EXPECT_GT(total, uint64_t{40'000'000});
    EXPECT_GT(fragments, 100U);
    EXPECT_TRUE(end.ends_with("}}")) << end;
    EXPECT_LT(peak, before + (uint64_t{16} << 20)) << "of " << total;
    EXPECT_TRUE(client.ask(R"({"jsonrpc":"2.0","id":1,"method":"eth_chainId"})"));
    client.send("", WsClient::kClose);
    server.reset();  // before its dispatcher
}

TEST_F(StreamingHttp, answers_of_a_websocket_do_not_mix_with_fragments) {
    Dispatcher debugging(store.backend, {"eth", "debug"}, {});
    ListenerOptions options;
    options.websocket.dispatcher = &debugging;
    WsClient client(serve(std::move(options), {}, {"eth", "debug"}));
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(client.send(trace_of_loop(120'000)));
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(client.send(R"({"jsonrpc":"2.0","id":1,"method":"eth_chainId"})"));
    }
    std::map<int, int> answers;
    for (int i = 0; i < 6; ++i) {
        const auto text = client.receive();
        ASSERT_TRUE(text);
        const json answer = json::parse(*text, nullptr, false);
        ASSERT_TRUE(answer.is_object());
        ++answers[answer["id"].get<int>()];
        if (answer["id"] == 7) {
            EXPECT_EQ(answer["result"]["structLogs"].size(), 30'001U);
        }
    }
    EXPECT_EQ(answers, (std::map<int, int>{{1, 3}, {7, 3}}));
    server.reset();
}

TEST_F(StreamingHttp, a_unix_socket_gets_one_line_while_it_is_made) {
    Dispatcher debugging(store.backend, {"eth", "debug"}, {});
    const std::string path = (std::filesystem::temp_directory_path() / random_id()).string();
    server = std::make_unique<HttpServer>(ServerOptions{});
    server->listen_ipc({.path = path, .dispatcher = &debugging});
    server->start();
    LocalClient client(path);
    const auto line = client.ask(trace_of_loop(120'000));
    ASSERT_TRUE(line);
    EXPECT_EQ(json::parse(*line)["result"]["structLogs"].size(), 30'001U);
    EXPECT_TRUE(client.ask(R"({"jsonrpc":"2.0","id":1,"method":"eth_chainId"})"));
    {
        LocalClient leaving(path);
        ASSERT_TRUE(leaving.send(trace_of_loop(40'000'000)));
        ASSERT_TRUE(leaving.receive_some());
    }
    // The one thread of the traces is free again.
    EXPECT_TRUE(client.ask(trace_of_loop(3'000)));
    server.reset();
}

}  // namespace
}  // namespace keel::rpc
