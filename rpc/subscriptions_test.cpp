#include "rpc/subscriptions.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "core/hex.hpp"
#include "rpc/http.hpp"
#include "rpc/testing/moving_head.hpp"
#include "rpc/testing/ws_client.hpp"

namespace keel::rpc {
namespace {

using nlohmann::json;

std::string request(const std::string& method, const json& params) {
    return json{{"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", params}}.dump();
}

class Subscribing : public testing::Test {
  protected:
    void serve(ServerOptions options = {}) {
        store.backend.subscriptions = &hub;
        dispatcher.emplace(store.backend, std::vector<std::string>{"eth"}, DispatchLimits{});
        server = std::make_unique<HttpServer>(std::move(options));
        port = server->listen(
            {.port = 0, .dispatcher = &*dispatcher, .websocket = {.dispatcher = &*dispatcher}});
        server->start();
    }
    /// The answer; notifications that come before it are passed over.
    static json ask(WsClient& client, const std::string& method, const json& params) {
        if (!client.send(request(method, params))) return "closed";
        while (const auto text = client.receive()) {
            json message = json::parse(*text);
            if (message.contains("id")) return message;
        }
        return "closed";
    }
    static std::string subscribe(WsClient& client, const json& params) {
        const json answer = ask(client, "eth_subscribe", params);
        const bool has_begun = answer.contains("result");
        EXPECT_TRUE(has_begun) << answer;
        return has_begun ? answer["result"].get<std::string>() : std::string();
    }
    /// `result` of the next notification, which must be of the subscription.
    static json next(WsClient& client, const std::string& id) {
        const auto text = client.receive();
        if (!text) return "closed";
        const json note = json::parse(*text);
        EXPECT_EQ(note["jsonrpc"], "2.0");
        EXPECT_EQ(note["method"], "eth_subscription");
        EXPECT_EQ(note.size(), 3U);
        EXPECT_EQ(note["params"]["subscription"], id);
        return note["params"]["result"];
    }
    std::string hash(uint64_t number) const {
        return core::to_hex_prefixed(store.blocks[number].hash);
    }
    template <class Move>
    void move(const Move& change) {
        change();
        hub.head_changed();
    }

    MovingHead store;
    Subscriptions hub{store.database, store.tables, store.schedule};
    std::optional<Dispatcher> dispatcher;
    std::unique_ptr<HttpServer> server;
    uint16_t port = 0;
};

TEST_F(Subscribing, heads_come_one_by_one_as_headers) {
    serve();
    WsClient client(port);
    const std::string id = subscribe(client, {"newHeads"});
    move([this] { store.set_head(0); });
    const json ancestor = next(client, id);
    EXPECT_EQ(ancestor["hash"], hash(0));  // a rewind tells of the block that is head now
    for (const char* key : {"size", "transactions", "uncles", "withdrawals"}) {
        EXPECT_FALSE(ancestor.contains(key)) << key;
    }
    move([this] { store.set_head(2); });
    EXPECT_EQ(next(client, id)["hash"], hash(1));
    EXPECT_EQ(next(client, id)["hash"], hash(2));
    move([this] { store.set_head_to_sibling(); });
    EXPECT_EQ(next(client, id)["hash"], core::to_hex_prefixed(store.sibling.hash));
    hub.head_changed();  // nothing has changed
    EXPECT_FALSE(client.has_more(50));
}

TEST_F(Subscribing, logs_come_before_the_head_and_again_as_removed) {
    serve();
    WsClient client(port);
    const std::string heads = subscribe(client, {"newHeads"});
    const std::string logs = subscribe(client, {"logs", json::object()});
    const json stored =
        json::parse(store.call("eth_getLogs", R"([{"fromBlock":"0x0","toBlock":"0x2"}])"));
    ASSERT_EQ(stored.size(), 3U);
    move([this] { store.set_head_to_sibling(); });
    for (json log : stored) {
        log["removed"] = true;
        EXPECT_EQ(next(client, logs), log);
    }
    EXPECT_EQ(next(client, heads)["hash"], core::to_hex_prefixed(store.sibling.hash));
    move([this] { store.set_head(2); });
    for (const json& log : stored) EXPECT_EQ(next(client, logs), log);
    EXPECT_EQ(next(client, heads)["hash"], hash(1));
    EXPECT_EQ(next(client, heads)["hash"], hash(2));
}

TEST_F(Subscribing, only_the_logs_that_were_asked_for) {
    serve();
    WsClient client(port);
    store.set_head(0);
    hub.head_changed();
    const std::string id = subscribe(
        client,
        {"logs", {{"address", core::to_hex_prefixed(store.rich)}, {"topics", json::array()}}});
    move([this] { store.set_head(2); });
    EXPECT_EQ(next(client, id)["logIndex"], "0x2");
    EXPECT_FALSE(client.has_more(50));
}

TEST_F(Subscribing, receipts_of_each_block) {
    serve();
    WsClient client(port);
    store.set_head(0);
    hub.head_changed();
    const std::string all = subscribe(client, {"transactionReceipts"});
    move([this] { store.set_head(2); });
    const json receipts = next(client, all);
    ASSERT_EQ(receipts.size(), 2U);
    EXPECT_EQ(receipts[0]["transactionHash"], core::to_hex_prefixed(store.tx_hashes[0]));
    EXPECT_FALSE(client.has_more(50));
}

TEST_F(Subscribing, syncing_is_told_once_behind_the_answer) {
    serve();
    WsClient client(port);
    const std::string id = subscribe(client, {"syncing"});
    EXPECT_EQ(next(client, id), false);
}

TEST_F(Subscribing, unsubscribing_ends_it_and_only_the_own) {
    serve();
    WsClient client(port);
    WsClient other(port);
    const std::string id = subscribe(client, {"newHeads"});
    const json unknown = {{"code", -32000}, {"message", "subscription not found"}};
    EXPECT_EQ(ask(other, "eth_unsubscribe", {id})["error"], unknown);
    EXPECT_EQ(ask(client, "eth_unsubscribe", {id})["result"], true);
    EXPECT_EQ(ask(client, "eth_unsubscribe", {id})["error"], unknown);
    move([this] { store.set_head(0); });
    EXPECT_FALSE(client.has_more(50));
    EXPECT_EQ(hub.size(), 0U);
}

TEST_F(Subscribing, says_what_it_does_not_offer) {
    serve();
    WsClient client(port);
    EXPECT_EQ(
        ask(client, "eth_subscribe", {"newMoons"})["error"],
        json({{"code", -32601}, {"message", "no \"newMoons\" subscription in eth namespace"}}));
    EXPECT_EQ(ask(client, "eth_subscribe", json::array())["error"]["code"], -32602);
    const std::string on_http =
        RawHttpClient(port).ask(request("eth_subscribe", {"newHeads"}))->body;
    EXPECT_EQ(json::parse(on_http)["error"],
              json({{"code", -32601}, {"message", "notifications not supported"}}));
}

TEST_F(Subscribing, ends_with_its_connection) {
    serve();
    {
        WsClient client(port);
        subscribe(client, {"newHeads"});
        EXPECT_EQ(hub.size(), 1U);
    }
    for (int i = 0; i < 100 && hub.size() > 0; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    EXPECT_EQ(hub.size(), 0U);
}

TEST_F(Subscribing, a_connection_has_not_more_than_so_many) {
    serve();
    WsClient client(port);
    for (size_t i = 0; i < Subscriptions::kPerConnectionMax; ++i) {
        ASSERT_TRUE(ask(client, "eth_subscribe", {"newHeads"}).contains("result"));
    }
    EXPECT_EQ(ask(client, "eth_subscribe", {"newHeads"})["error"]["code"], -32000);
}

TEST_F(Subscribing, who_does_not_read_is_cut_off_and_nobody_waits_for_him) {
    std::string noted;
    serve({.queue_bytes_max = 100'000, .on_note = [&](std::string_view text) { noted = text; }});
    WsClient slow(port);
    WsClient good(port);
    subscribe(slow, {"newHeads"});
    const std::string id = subscribe(good, {"newHeads"});
    const int small = 4096;
    ::setsockopt(slow.descriptor(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    for (int i = 0; i < 20'000 && hub.size() > 1; ++i) {
        move([&] { store.set_head(i % 2 == 0 ? 0 : 1); });
        ASSERT_EQ(next(good, id)["hash"], hash(i % 2 == 0 ? 0 : 1));
    }
    EXPECT_EQ(hub.size(), 1U);
    server->stop();
    EXPECT_EQ(noted, "a client that did not read its notifications is cut off");
}

TEST_F(Subscribing, a_thousand_subscribers_all_hear_of_each_head_while_others_come_and_go) {
    serve({.io_threads = 2, .connections_max = 4096});
    std::vector<std::unique_ptr<WsClient>> clients;
    std::vector<std::string> ids;
    for (int i = 0; i < 200; ++i) {
        clients.push_back(std::make_unique<WsClient>(port));
        for (int k = 0; k < 5; ++k) ids.push_back(subscribe(*clients.back(), {"newHeads"}));
    }
    const std::jthread visitors([this](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            WsClient visitor(port);
            subscribe(visitor, {"newHeads"});
            subscribe(visitor, {"logs", json::object()});
        }
    });
    for (int i = 0; i < 10; ++i) {
        move([&] { store.set_head(i % 2 == 0 ? 0 : 1); });
    }
    for (const auto& client : clients) {
        for (int i = 0; i < 50; ++i) ASSERT_TRUE(client->receive());
    }
}

}  // namespace
}  // namespace keel::rpc
