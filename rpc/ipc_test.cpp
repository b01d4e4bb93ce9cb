#include "rpc/ipc.hpp"

#include <gtest/gtest.h>

#include <sys/un.h>

#include <filesystem>

#include "core/fault.hpp"
#include "rpc/json_splitter.hpp"
#include "rpc/random_id.hpp"
#include "rpc/testing/local_client.hpp"
#include "rpc/testing/small_store.hpp"

namespace keel::rpc {
namespace {

const std::string kCall = R"({"jsonrpc":"2.0","id":1,"method":"eth_blockNumber"})";
const std::string kAnswer = R"({"jsonrpc":"2.0","id":1,"result":"0x2"})";

class Ipc : public testing::Test {
  protected:
    void serve() {
        server = std::make_unique<HttpServer>(ServerOptions{});
        server->listen_ipc({.path = path, .dispatcher = &dispatcher});
        server->start();
    }

    ~Ipc() override { std::filesystem::remove(path); }

    const std::string path = (std::filesystem::temp_directory_path() / random_id()).string();
    SmallStore store;
    Dispatcher dispatcher{store.backend, {"eth", "net", "web3"}, {}};
    std::unique_ptr<HttpServer> server;
};

TEST_F(Ipc, answers_line_by_line) {
    serve();
    LocalClient client(path);
    for (int i = 0; i < 50; ++i) EXPECT_EQ(client.ask(kCall + "\n"), kAnswer);
    EXPECT_EQ(client.ask("[" + kCall + "," + kCall + "]\n"), "[" + kAnswer + "," + kAnswer + "]");
}

TEST_F(Ipc, takes_texts_without_line_ends_in_pieces_and_many_at_once) {
    serve();
    LocalClient client(path);
    EXPECT_EQ(client.ask(kCall), kAnswer);
    for (const char each : kCall) ASSERT_TRUE(client.send(std::string(1, each)));
    EXPECT_EQ(client.receive(), kAnswer);
    std::string many;
    for (int i = 0; i < 500; ++i) many += kCall + (i % 2 == 0 ? "" : "\n");
    ASSERT_TRUE(client.send(many));
    for (int i = 0; i < 500; ++i) ASSERT_EQ(client.receive(), kAnswer);
    EXPECT_EQ(client.ask("nonsense\n"),
              R"({"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"parse error"}})");
    EXPECT_EQ(client.ask(kCall), kAnswer);
}

TEST_F(Ipc, who_sends_no_more_still_gets_the_answers) {
    serve();
    LocalClient client(path);
    ASSERT_TRUE(client.send(
        R"({"jsonrpc":"2.0","id":1,"method":"eth_getBlockReceipts","params":["0x0"]})"));
    client.end_sending();
    EXPECT_EQ(client.receive(), R"({"jsonrpc":"2.0","id":1,"result":[]})");
    EXPECT_FALSE(client.receive());
}

TEST_F(Ipc, the_socket_is_its_owners_and_goes_with_the_server) {
    serve();
    EXPECT_EQ(std::filesystem::status(path).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    HttpServer second({});
    EXPECT_THROW(second.listen_ipc({.path = path, .dispatcher = &dispatcher}), core::Fault);
    server->stop();
    EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(Ipc, a_socket_that_was_left_behind_is_replaced) {
    {
        asio::io_context context;
        asio::basic_socket_acceptor<Local> left(context, Local::endpoint(path));
    }
    ASSERT_TRUE(std::filesystem::exists(path));
    serve();
    EXPECT_EQ(LocalClient(path).ask(kCall), kAnswer);
}

TEST_F(Ipc, a_path_too_long_for_a_socket_is_said_so) {
    HttpServer other({});
    EXPECT_THROW(
        other.listen_ipc({.path = "/tmp/" + std::string(120, 'x'), .dispatcher = &dispatcher}),
        core::Fault);
}

TEST(JsonSplitter, ends_with_the_last_bracket_or_the_line) {
    JsonSplitter splitter;
    EXPECT_EQ(splitter.find_end(R"({"a":"}\"}"})"), 12U);
    EXPECT_EQ(splitter.find_end("\n\n [1,[2],3]{"), 12U);
    EXPECT_EQ(splitter.find_end("12"), 0U);
    EXPECT_EQ(splitter.find_end("12\n3"), 3U);
    EXPECT_EQ(splitter.find_end("\"a b\"\n"), 6U);
    EXPECT_EQ(splitter.find_end("]"), 1U);
    EXPECT_EQ(splitter.find_end(""), 0U);
}

}  // namespace
}  // namespace keel::rpc
