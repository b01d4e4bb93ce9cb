#include "rpc/dispatch.hpp"

#include <gtest/gtest.h>

#include "core/fault.hpp"
#include "rpc/testing/small_store.hpp"

namespace keel::rpc {
namespace {

const SmallStore& store() {
    static const SmallStore kStore;
    return kStore;
}

std::string ask(const std::string& body) {
    return store().ask(body);
}

std::string error(std::string_view id, int code, std::string_view message) {
    return R"({"jsonrpc":"2.0","id":)" + std::string(id) + R"(,"error":{"code":)" +
           std::to_string(code) + R"(,"message":")" + std::string(message) + R"("}})";
}

TEST(Dispatch, answers_a_call_with_and_without_params) {
    const std::string answer = R"({"jsonrpc":"2.0","id":1,"result":"0x2"})";
    EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":1,"method":"eth_blockNumber"})"), answer);
    EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]})"), answer);
    EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":null})"), answer);
    EXPECT_EQ(
        ask(R"({"params":[],"method":"eth_blockNumber","x":{"y":[]},"id":1,"jsonrpc":"2.0"})"),
        answer);
}

TEST(Dispatch, echoes_any_scalar_id_as_it_came) {
    for (const std::string id : {"1", "\"x\"", "null", "true", "1.50", "-0", "1e3",
                                 "123456789012345678901234567890", R"("a\u0041\"\n")", "\"\""}) {
        EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":)" + id + R"( ,"method":"net_version"})"),
                  R"({"jsonrpc":"2.0","id":)" + id + R"(,"result":"4711"})");
    }
}

TEST(Dispatch, refuses_what_is_no_request) {
    const std::string invalid = error("null", -32600, "invalid request");
    for (const char* const body :
         {"1", "\"x\"", "null", "{}", R"({"jsonrpc":"2.0"})", R"({"id":[],"method":"net_version"})",
          R"({"jsonrpc":"2.0","id":{},"method":"net_version"})",
          R"({"jsonrpc":"2.0","id":[1],"method":"net_version"})"}) {
        EXPECT_EQ(ask(body), invalid) << body;
    }
    const std::string with_id = error("7", -32600, "invalid request");
    for (const char* const body :
         {R"({"jsonrpc":"2.0","id":7})", R"({"jsonrpc":"1.0","id":7,"method":"net_version"})",
          R"({"id":7,"method":"net_version"})", R"({"jsonrpc":2.0,"id":7,"method":"net_version"})",
          R"({"jsonrpc":"2.0","id":7,"method":5})"}) {
        EXPECT_EQ(ask(body), with_id) << body;
    }
    EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":7,"method":")" + std::string(2049, 'm') + R"("})"),
              with_id);
}

TEST(Dispatch, says_that_a_text_is_no_json) {
    for (const char* const body : {"", "{", "hello", "[1,,2]", R"({"jsonrpc":"2.0",})"}) {
        EXPECT_EQ(ask(body), error("null", -32700, "parse error")) << body;
    }
    EXPECT_EQ(ask(std::string(100, '[') + std::string(100, ']')),
              error("null", -32600, "nested deeper than 64 levels"));
}

TEST(Dispatch, knows_only_the_methods_of_its_namespaces) {
    EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":1,"method":"eth_nope"})"),
              error("1", -32601, "the method eth_nope does not exist/is not available"));
    EXPECT_EQ(store().ask(R"({"jsonrpc":"2.0","id":1,"method":"net_version"})", {"eth"}),
              error("1", -32601, "the method net_version does not exist/is not available"));
    EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]})"),
              error("1", -32601, "notifications not supported"));
    EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":1,"method":"a\"b"})"),
              error("1", -32601, R"(the method a\"b does not exist/is not available)"));
    EXPECT_THROW(Dispatcher(store().backend, {"eth", "nope"}, {}), core::Fault);
}

TEST(Dispatch, a_notification_gets_no_answer) {
    EXPECT_EQ(ask(R"({"jsonrpc":"2.0","method":"net_version"})"), "");
    EXPECT_EQ(ask(R"({"jsonrpc":"2.0","method":"eth_nope"})"), "");
    EXPECT_EQ(ask(R"([{"jsonrpc":"2.0","method":"net_version"}])"), "");
}

TEST(Dispatch, a_batch_is_answered_in_the_order_of_its_calls) {
    EXPECT_EQ(ask(R"([{"jsonrpc":"2.0","id":2,"method":"net_version"},5,
                      {"jsonrpc":"2.0","method":"net_version"},
                      {"jsonrpc":"2.0","id":1,"method":"eth_chainId"}])"),
              R"([{"jsonrpc":"2.0","id":2,"result":"4711"},)" +
                  error("null", -32600, "invalid request") +
                  R"(,{"jsonrpc":"2.0","id":1,"result":"0x1"}])");
    EXPECT_EQ(ask("[]"), error("null", -32600, "empty batch"));
    EXPECT_EQ(ask("[[]]"), "[" + error("null", -32600, "invalid request") + "]");
}

TEST(Dispatch, a_batch_with_too_many_items_gets_one_error_with_the_first_id) {
    const DispatchLimits limits{.batch_items_max = 2};
    const std::string call = R"({"jsonrpc":"2.0","id":9,"method":"net_version"})";
    EXPECT_EQ(store().ask("[" + call + "," + call + "," + call + "]", {"net"}, limits),
              "[" + error("9", -32600, "batch too large") + "]");
    EXPECT_EQ(store().ask("[1,2,3]", {"net"}, limits),
              "[" + error("null", -32600, "batch too large") + "]");
}

TEST(Dispatch, calls_behind_the_byte_limit_of_a_batch_are_not_run) {
    const DispatchLimits limits{.batch_bytes_max = 10};
    const std::string call = R"({"jsonrpc":"2.0","id":9,"method":"net_version"})";
    EXPECT_EQ(store().ask("[" + call + "," + call + "]", {"net"}, limits),
              R"([{"jsonrpc":"2.0","id":9,"result":"4711"},)" +
                  error("9", -32003, "response too large") + "]");
}

TEST(Dispatch, calls_of_a_batch_that_begin_after_its_deadline_are_refused) {
    const DispatchLimits limits{.request_ms_max = 0};
    const std::string call = R"({"jsonrpc":"2.0","id":9,"method":"net_version"})";
    EXPECT_EQ(store().ask("[" + call + "]", {"net"}, limits),
              "[" + error("9", -32002, "request timed out (limit 0s for a batch)") + "]");
    EXPECT_EQ(store().ask(call, {"net"}, limits), R"({"jsonrpc":"2.0","id":9,"result":"4711"})");
}

TEST(Dispatch, an_answer_beyond_its_limit_becomes_an_error) {
    const DispatchLimits limits{.answer_bytes_max = 40};
    EXPECT_EQ(
        store().ask(R"({"jsonrpc":"2.0","id":1,"method":"web3_clientVersion"})", {"web3"}, limits),
        error("1", -32003, "response too large"));
}

TEST(Dispatch, heavy_calls_and_long_batches_go_to_the_pool) {
    const Dispatcher dispatcher(store().backend, {"eth", "net"}, {});
    Exchange exchange;
    const auto cost = [&](std::string body) {
        const size_t size = body.size();
        body.append(kJsonPadding, 'z');
        return dispatcher.parse(exchange, std::string_view(body).substr(0, size));
    };
    const std::string cheap = R"({"jsonrpc":"2.0","id":1,"method":"eth_blockNumber"})";
    const std::string heavy = R"({"jsonrpc":"2.0","id":1,"method":"eth_call"})";
    EXPECT_EQ(cost(cheap), Cost::Cheap);
    EXPECT_EQ(cost(heavy), Cost::State);
    EXPECT_EQ(cost("[" + cheap + "," + cheap + "]"), Cost::Cheap);
    EXPECT_EQ(cost("[" + cheap + "," + heavy + "]"), Cost::State);
    std::string batch = "[" + cheap;
    for (int i = 0; i < 20; ++i) batch += "," + cheap;
    EXPECT_EQ(cost(batch + "]"), Cost::State);
    EXPECT_EQ(cost("{"), Cost::Cheap);
}

TEST(Dispatch, a_fault_ends_one_call_only) {
    SmallStore broken;
    std::string told;
    broken.backend.on_fault = [&told](std::string_view text) { told = text; };
    broken.database.update([&broken](db::WriteTxn& txn) {
        txn.put(broken.tables.account, broken.rich, core::Bytes{0x01});
    });
    EXPECT_EQ(broken.ask(R"([{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":[")" +
                         std::string("0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa") +
                         R"("]},{"jsonrpc":"2.0","id":2,"method":"net_version"}])"),
              "[" + error("1", -32603, "internal error") +
                  R"(,{"jsonrpc":"2.0","id":2,"result":"4711"}])");
    EXPECT_NE(told, "");
}

}  // namespace
}  // namespace keel::rpc
