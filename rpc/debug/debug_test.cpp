// debug_traceCall on a store whose rows the test has written: what each tracer says of code that
// the call brings along.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/hex.hpp"
#include "rpc/testing/small_store.hpp"

namespace keel::rpc {
namespace {

using nlohmann::json;

constexpr const char* kTo = "0xc0de00000000000000000000000000000000c0de";
constexpr const char* kFrom = "0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

class TraceCalls : public testing::Test {
  protected:
    json ask(const std::string& method, const json& params) {
        const json request = {
            {"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", params}};
        return json::parse(store.ask(request.dump(), {"debug"}));
    }
    /// Calls `code` (hex digits) with this much gas behind the intrinsic 21000.
    json trace(const std::string& code, uint64_t gas, json options) {
        options["stateOverrides"][kTo]["code"] = "0x" + code;
        const json call = {
            {"from", kFrom}, {"to", kTo}, {"gas", core::U256(21'000 + gas).to_quantity()}};
        const json answer = ask("debug_traceCall", {call, "latest", options});
        return answer.contains("result") ? answer["result"] : answer;
    }
    /// The last entry of the opcode log.
    json last_line(const std::string& code, uint64_t gas) {
        const json logs = trace(code, gas, json::object())["structLogs"];
        return logs.empty() ? json() : logs.back();
    }
    static json failing(const std::string& op, uint64_t cost, const char* error = nullptr) {
        json line = {{"op", op}, {"gasCost", cost}};
        if (error != nullptr) line["error"] = error;
        return line;
    }
    /// Only what failing() says.
    static json shortened(json line) {
        for (const char* const name : {"pc", "gas", "depth", "stack", "refund", "storage"}) {
            line.erase(name);
        }
        return line;
    }

    SmallStore store;
};

TEST_F(TraceCalls, lines_that_fail_have_the_whole_price_and_the_reason) {
    // MSTORE at 0xffff: 2049 words of memory.
    EXPECT_EQ(shortened(last_line("600161ffff52", 100)),
              failing("MSTORE", 3 + 3 * 2049 + 2049 * 2049 / 512, "out of gas"));
    EXPECT_EQ(shortened(last_line("600160015560016002", 2'306)),
              failing("SSTORE", 0, "out of gas: not enough gas for reentrancy sentry"));
    EXPECT_EQ(shortened(last_line("60016001556001600255", 22'106 + 2'400)),
              failing("SSTORE", 22'100, "out of gas"));
    EXPECT_EQ(shortened(last_line("60ff31", 200)), failing("BALANCE", 2'600, "out of gas"));
    EXPECT_EQ(shortened(last_line("01", 100)), failing("ADD", 3, "stack underflow (0 <=> 2)"));
    EXPECT_EQ(shortened(last_line("6001", 2)), failing("PUSH1", 3, "out of gas"));
    // CALL with all gas to a cold account with value: the remainder wraps around below zero.
    EXPECT_EQ(shortened(last_line("600060006000600060005af1", 1'000)),
              failing("CALL", 100, "stack underflow (6 <=> 7)"));
    EXPECT_EQ(shortened(last_line("600060006000600060ff60ff60fff1", 1'000)),
              failing("CALL", 100, "out of gas: out of gas"));
}

TEST_F(TraceCalls, lines_that_fail_while_they_execute_are_paid_and_say_no_error) {
    EXPECT_EQ(shortened(last_line("600056", 100)), failing("JUMP", 8));
    EXPECT_EQ(shortened(last_line("fe", 100)), failing("INVALID", 0));
    EXPECT_EQ(shortened(last_line("0c", 100)), failing("opcode 0xc not defined", 0));
    EXPECT_EQ(shortened(last_line("600160006000"
                                  "3e",
                                  100)),
              failing("RETURNDATACOPY", 9));
}

TEST_F(TraceCalls, a_frame_that_fails_says_why) {
    const json options = {{"tracer", "callTracer"}};
    const json failed = trace("60ff5560", 100, options);
    EXPECT_EQ(failed["error"], "stack underflow (1 <=> 2)");
    EXPECT_EQ(failed["gasUsed"], failed["gas"]);
    EXPECT_FALSE(failed.contains("output"));
    EXPECT_EQ(trace("0c", 100, options)["error"], "invalid opcode: opcode 0xc not defined");
    // A call of BLAKE2F with nothing.
    const json outer = trace("600060006000600060096103e8fa", 10'000, options);
    ASSERT_EQ(outer["calls"].size(), 1U);
    EXPECT_EQ(outer["calls"][0]["type"], "STATICCALL");
    EXPECT_EQ(outer["calls"][0]["error"], "invalid input length");
    EXPECT_FALSE(outer["calls"][0].contains("value"));
}

TEST_F(TraceCalls, selectors_are_counted_with_the_bytes_behind_them) {
    // Calls an account with the first five bytes of memory, twice; IDENTITY does not count.
    const std::string call =
        "60006000600560006000"
        "60ff61fffff1"
        "50";
    const std::string identity =
        "60006000600560006000"
        "600461fffff1"
        "50";
    const json result = trace(call + call + identity, 200'000, {{"tracer", "4byteTracer"}});
    EXPECT_EQ(result, json({{"0x00000000-1", 2}}));
}

TEST_F(TraceCalls, several_tracers_share_a_run) {
    const json config = {{"callTracer", {{"onlyTopCall", true}}},
                         {"flatCallTracer", nullptr},
                         {"noopTracer", json::object()}};
    const json result = trace("00", 100, {{"tracer", "muxTracer"}, {"tracerConfig", config}});
    ASSERT_EQ(result.size(), 3U);
    EXPECT_EQ(result["callTracer"]["type"], "CALL");
    EXPECT_EQ(result["flatCallTracer"][0]["action"]["callType"], "call");
    EXPECT_TRUE(result["flatCallTracer"][0]["blockHash"].is_null());
    EXPECT_EQ(result["noopTracer"], json::object());
}

TEST_F(TraceCalls, what_a_call_changes_is_said_before_and_after) {
    const std::string code = "602a60015500";
    json options = {{"tracer", "prestateTracer"}, {"tracerConfig", {{"diffMode", true}}}};
    options["stateOverrides"][kTo]["stateDiff"] = {
        {"0x" + std::string(63, '0') + "1", "0x" + std::string(63, '0') + "7"}};
    const json result = trace(code, 50'000, options);
    const std::string slot = "0x" + std::string(63, '0') + "1";
    EXPECT_EQ(result["pre"][kTo]["storage"][slot], "0x" + std::string(63, '0') + "7");
    EXPECT_EQ(result["post"][kTo]["storage"][slot], "0x" + std::string(62, '0') + "2a");
    EXPECT_FALSE(result["post"][kTo].contains("code"));
    EXPECT_EQ(result["pre"][kFrom]["nonce"], 7);
    EXPECT_EQ(result["post"][kFrom]["nonce"], 8);
}

TEST_F(TraceCalls, what_makes_no_sense_is_refused) {
    const auto message = [this](const json& options) {
        return trace("00", 100, options)["error"]["message"].get<std::string>();
    };
    EXPECT_EQ(message({{"tracer", "erc7562Tracer"}}), "tracer erc7562Tracer is not offered");
    EXPECT_EQ(message({{"tracer", "prestateTracer"},
                       {"tracerConfig", {{"diffMode", true}, {"includeEmpty", true}}}}),
              "cannot use diffMode with includeEmpty");
    EXPECT_EQ(message({{"tracer", "callTracer"}, {"tracerConfig", 1}}),
              "invalid field tracerConfig: not an object");
    const json call = {{"to", kTo}};
    EXPECT_EQ(ask("debug_traceCall", {call, "0x99"})["error"]["message"], "block #153 not found");
    EXPECT_EQ(ask("debug_traceCall", {call, "pending"})["error"]["message"],
              "tracing on top of pending is not supported");
    EXPECT_EQ(ask("debug_traceBlock", {"0x00"})["error"]["message"], "could not decode block");
}

}  // namespace
}  // namespace keel::rpc
