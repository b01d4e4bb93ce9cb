#include "node/runners/trace.hpp"

#include <gtest/gtest.h>

#include "core/hex.hpp"
#include "core/types/fork.hpp"
#include "evm/call.hpp"
#include "evm/testing/map_host.hpp"

namespace keel::node::runners {
namespace {

using core::Address;
using core::U256;

/// The lines of a call with 100000 gas of an account with this code. The expected lines follow the
/// text of EIP-3155 and the prices of the yellow paper, worked out by hand.
struct Tracing {
    core::Fork fork = core::Fork::Cancun;
    TraceFields fields;
    bool is_static = false;

    std::string run(std::string_view code) {
        std::string lines = "\n";
        JsonTrace trace([&lines](std::string_view more) { lines += more; }, fields);
        const core::ForkRules rules = core::rules_of(fork);
        evm::testing::MapHost host(rules);
        Address contract;
        contract[19] = 0xc0;
        Address sender;
        sender[19] = 0x5e;
        host.world.accounts[contract].code = *core::from_hex(code);
        host.world.accounts[sender].balance = U256(1000);
        host.begin_transaction();
        evm::Workspace workspace;
        workspace.set_tracer(&trace);
        const evm::BlockContext block;
        const evm::TxContext tx;
        evm::Evm machine(workspace, host, rules, block, tx);
        evm::Message message;
        message.gas = 100'000;
        message.is_static = is_static;
        message.sender = sender;
        message.recipient = message.code_address = contract;
        machine.execute(message);
        return lines;
    }
};

TEST(JsonTrace, a_line_an_instruction_and_the_stop_behind_the_end) {
    EXPECT_EQ(Tracing().run("600260030160005260"), R"(
{"pc":0,"op":96,"gas":"0x186a0","gasCost":"0x3","memSize":0,"stack":[],"depth":1,"refund":0,"opName":"PUSH1"}
{"pc":2,"op":96,"gas":"0x1869d","gasCost":"0x3","memSize":0,"stack":["0x2"],"depth":1,"refund":0,"opName":"PUSH1"}
{"pc":4,"op":1,"gas":"0x1869a","gasCost":"0x3","memSize":0,"stack":["0x2","0x3"],"depth":1,"refund":0,"opName":"ADD"}
{"pc":5,"op":96,"gas":"0x18697","gasCost":"0x3","memSize":0,"stack":["0x5"],"depth":1,"refund":0,"opName":"PUSH1"}
{"pc":7,"op":82,"gas":"0x18694","gasCost":"0x6","memSize":0,"stack":["0x5","0x0"],"depth":1,"refund":0,"opName":"MSTORE"}
{"pc":8,"op":96,"gas":"0x1868e","gasCost":"0x3","memSize":32,"stack":[],"depth":1,"refund":0,"opName":"PUSH1"}
{"pc":10,"op":0,"gas":"0x1868b","gasCost":"0x0","memSize":32,"stack":["0x0"],"depth":1,"refund":0,"opName":"STOP"}
{"output":"","gasUsed":"0x15"}
)");
}

TEST(JsonTrace, a_revert_has_a_second_line_with_its_operands_taken) {
    EXPECT_EQ(Tracing().run("60015ffd"), R"(
{"pc":0,"op":96,"gas":"0x186a0","gasCost":"0x3","memSize":0,"stack":[],"depth":1,"refund":0,"opName":"PUSH1"}
{"pc":2,"op":95,"gas":"0x1869d","gasCost":"0x2","memSize":0,"stack":["0x1"],"depth":1,"refund":0,"opName":"PUSH0"}
{"pc":3,"op":253,"gas":"0x1869b","gasCost":"0x3","memSize":0,"stack":["0x1","0x0"],"depth":1,"refund":0,"opName":"REVERT"}
{"pc":3,"op":253,"gas":"0x1869b","gasCost":"0x3","memSize":32,"stack":[],"depth":1,"refund":0,"opName":"REVERT","error":"execution reverted"}
{"output":"00","gasUsed":"0x8","error":"execution reverted"}
)");
}

TEST(JsonTrace, a_failed_check_ends_the_line_with_its_error) {
    EXPECT_EQ(Tracing().run("01"), R"x(
{"pc":0,"op":1,"gas":"0x186a0","gasCost":"0x3","memSize":0,"stack":[],"depth":1,"refund":0,"opName":"ADD","error":"stack underflow (0 <=> 2)"}
{"output":"","gasUsed":"0x186a0","error":"stack underflow (0 <=> 2)"}
)x");
}

TEST(JsonTrace, opcodes_that_do_not_exist_are_named_by_their_number) {
    EXPECT_EQ(Tracing().run("0c"), R"(
{"pc":0,"op":12,"gas":"0x186a0","gasCost":"0x0","memSize":0,"stack":[],"depth":1,"refund":0,"opName":"opcode 0xc not defined"}
{"pc":0,"op":12,"gas":"0x186a0","gasCost":"0x0","memSize":0,"stack":[],"depth":1,"refund":0,"opName":"opcode 0xc not defined","error":"invalid opcode: opcode 0xc not defined"}
{"output":"","gasUsed":"0x186a0","error":"invalid opcode: opcode 0xc not defined"}
)");
}

TEST(JsonTrace, a_bad_jump_has_paid_and_taken_its_operand) {
    EXPECT_EQ(Tracing().run("600756"), R"(
{"pc":0,"op":96,"gas":"0x186a0","gasCost":"0x3","memSize":0,"stack":[],"depth":1,"refund":0,"opName":"PUSH1"}
{"pc":2,"op":86,"gas":"0x1869d","gasCost":"0x8","memSize":0,"stack":["0x7"],"depth":1,"refund":0,"opName":"JUMP"}
{"pc":2,"op":86,"gas":"0x1869d","gasCost":"0x8","memSize":0,"stack":[],"depth":1,"refund":0,"opName":"JUMP","error":"invalid jump destination"}
{"output":"","gasUsed":"0x186a0","error":"invalid jump destination"}
)");
}

TEST(JsonTrace, a_call_costs_what_it_hands_on_and_its_lines_come_before_the_next) {
    // DELEGATECALL to itself with 200 gas: the address is warm only from the second one on.
    const std::string lines = Tracing().run("5f5f5f5f3060c8f4");
    EXPECT_NE(lines.find(R"({"pc":7,"op":244,"gas":"0x18693","gasCost":"0xaf0","memSize":0,)"
                         R"("stack":["0x0","0x0","0x0","0x0","0xc0","0xc8"],"depth":1,)"
                         R"("refund":0,"opName":"DELEGATECALL"}
{"pc":0,"op":95,"gas":"0xc8","gasCost":"0x2","memSize":0,"stack":[],"depth":2,)"),
              std::string::npos)
        << lines;
}

TEST(JsonTrace, a_refund_shows_on_the_line_of_its_instruction) {
    // sstore(0, 1), then sstore(0, 0): 19900 come back.
    const std::string lines = Tracing().run("60015f555f5f55");
    EXPECT_NE(lines.find(R"("gasCost":"0x5654","memSize":0,"stack":["0x1","0x0"],)"
                         R"("depth":1,"refund":0,"opName":"SSTORE"})"),
              std::string::npos)
        << lines;
    EXPECT_NE(lines.find(R"("gasCost":"0x64","memSize":0,"stack":["0x0","0x0"],)"
                         R"("depth":1,"refund":19900,"opName":"SSTORE"})"),
              std::string::npos)
        << lines;
}

TEST(JsonTrace, memory_and_return_data_are_shown_when_asked_for) {
    Tracing tracing;
    tracing.fields = {.memory = true, .stack = false, .return_data = true};
    // Calls the identity contract with one word of memory, which comes back as return data.
    const std::string lines = tracing.run("60ff5f525f5f60205f60045afa00");
    EXPECT_NE(lines.find(R"("memory":"0x00000000000000000000000000000000000000000000000000000000)"
                         R"(000000ff","memSize":32,"stack":null,"returnData":"0x00000000000000)"
                         R"(000000000000000000000000000000000000000000000000ff","depth":1,)"
                         R"("refund":0,"opName":"STOP"})"),
              std::string::npos)
        << lines;
}

}  // namespace
}  // namespace keel::node::runners
