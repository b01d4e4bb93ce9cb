#include "evm/interpreter.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <initializer_list>

#include <nlohmann/json.hpp>

#include "core/clock.hpp"
#include "evm/testing/map_host.hpp"
#include "tests/support/fixtures.hpp"

namespace keel::evm {
namespace {

using core::Address;
using core::Bytes;
using core::ByteView;
using core::Fork;
using core::U256;
using nlohmann::json;
using testing::MapHost;

uint8_t digit(char c) {
    if (c >= '0' && c <= '9') return static_cast<uint8_t>(c - '0');
    return static_cast<uint8_t>((c | 0x20) - 'a' + 10);
}
Bytes bytes_of(std::string_view hex) {
    if (hex.starts_with("0x")) hex.remove_prefix(2);
    Bytes bytes;
    for (size_t i = 0; i + 1 < hex.size(); i += 2) {
        bytes.push_back(static_cast<uint8_t>(digit(hex[i]) << 4 | digit(hex[i + 1])));
    }
    return bytes;
}
U256 number_of(const json& text) {
    return U256::parse(text.get<std::string>()).value();
}
Address address_of(std::string_view hex) {
    return Address(ByteView(bytes_of(hex)));
}
Address account(uint8_t last) {
    Address address;
    address[18] = 0x11;
    address[19] = last;
    return address;
}

/// A world in which account(1) runs code, called by account(0xcc), which is rich.
struct Machine {
    explicit Machine(Fork fork) : rules(core::rules_of(fork)), host(rules) {
        block.number = 1000;
        host.world.accounts[account(0xcc)].balance = U256(1'000'000'000);
    }

    CallResult run(std::string_view code, int64_t gas = 1'000'000) {
        host.world.accounts[account(1)].code = bytes_of(code);
        Message message;
        message.gas = gas;
        message.sender = account(0xcc);
        message.recipient = message.code_address = account(1);
        return execute(message);
    }
    CallResult execute(const Message& message) {
        host.begin_transaction();
        Evm evm(workspace, host, rules, block, tx);
        return evm.execute(message);
    }
    U256 slot(uint8_t of, uint64_t key) { return host.storage(account(of), U256(key)); }

    core::ForkRules rules;
    BlockContext block;
    TxContext tx;
    MapHost host;
    Workspace workspace;
};

TEST(Interpreter, adds_and_returns_a_word) {
    Machine machine(Fork::Osaka);
    const CallResult result = machine.run("600260030160005260206000f3");
    ASSERT_EQ(result.status, Status::Success);
    EXPECT_EQ(U256::from_be(result.output), U256(5));
    EXPECT_EQ(result.gas_left, 1'000'000 - 3 * 3 - 2 * 3 - 3 - 2 * 3 + 3 - 3);
}

TEST(Interpreter, refuses_what_the_stack_cannot_serve) {
    Machine machine(Fork::Osaka);
    EXPECT_EQ(machine.run("01").status, Status::StackUnderflow);
    EXPECT_EQ(machine.run("5b5f600056").status, Status::StackOverflow);
    EXPECT_EQ(machine.run("fe").status, Status::InvalidOpcode);
    EXPECT_EQ(machine.run("fe").gas_left, 0);
}

TEST(Interpreter, jumps_only_to_a_jumpdest_outside_push_data) {
    Machine machine(Fork::Osaka);
    EXPECT_EQ(machine.run("600456605b00").status, Status::BadJump);
    EXPECT_EQ(machine.run("6003565b").status, Status::Success);
    EXPECT_EQ(machine.run("7f5b").status, Status::Success);
}

TEST(Interpreter, does_not_know_opcodes_of_later_forks) {
    EXPECT_EQ(Machine(Fork::Paris).run("5f").status, Status::InvalidOpcode);
    EXPECT_EQ(Machine(Fork::Shanghai).run("5f").status, Status::Success);
    EXPECT_EQ(Machine(Fork::Prague).run("60001e").status, Status::InvalidOpcode);
    EXPECT_EQ(Machine(Fork::Osaka).run("60001e").status, Status::Success);
    EXPECT_EQ(Machine(Fork::Frontier).run("60006000fd").status, Status::InvalidOpcode);
}

TEST(Interpreter, ends_by_the_clock_what_gas_does_not_end) {
    constexpr int64_t kForever = int64_t{1} << 60;
    // A loop; a call of itself; a loop that calls what has no jumps.
    for (const std::string_view code :
         {"5b5f56", "5f5f5f5f5f305af1", "5b5f5f5f5f5f60045af1505f56"}) {
        for (const uint32_t heat : {0U, 1000U, UINT32_MAX}) {
            Machine machine(Fork::Osaka);
            machine.workspace.set_heat_before_translation(heat);
            machine.workspace.set_deadline_ms(core::monotonic_coarse_ms() + 30);
            EXPECT_THROW(while (true) static_cast<void>(machine.run(code, kForever)), TimeOver)
                << code << " " << heat;
            machine.workspace.set_deadline_ms(UINT64_MAX);
            EXPECT_EQ(machine.run("5b5f56", 1'000'000).status, Status::OutOfGas);
        }
    }
}

TEST(Interpreter, a_deadline_that_does_not_come_changes_nothing) {
    // Counts down from 200000, and stores what gas is left.
    constexpr std::string_view kCountdown = "62030d405b6001900380600457505a60005500";
    for (const uint32_t heat : {0U, UINT32_MAX}) {
        Machine without(Fork::Osaka);
        without.workspace.set_heat_before_translation(heat);
        Machine with(Fork::Osaka);
        with.workspace.set_heat_before_translation(heat);
        with.workspace.set_deadline_ms(UINT64_MAX - 1);
        const CallResult expected = without.run(kCountdown, 30'000'000);
        const CallResult result = with.run(kCountdown, 30'000'000);
        EXPECT_EQ(expected.status, Status::Success);
        EXPECT_EQ(result.status, Status::Success);
        EXPECT_EQ(result.gas_left, expected.gas_left);
        EXPECT_EQ(with.slot(1, 0), without.slot(1, 0));
    }
}

TEST(Interpreter, takes_no_gas_for_a_memory_range_of_length_zero) {
    Machine machine(Fork::Osaka);
    EXPECT_EQ(machine.run("5f5f195e").status, Status::StackUnderflow);
    EXPECT_EQ(machine.run("5f5f1920").status, Status::Success);  // KECCAK256 of nothing, far away
    EXPECT_EQ(machine.run("60015f1920").status, Status::OutOfGas);  // of one byte
}

TEST(Interpreter, prices_sstore_as_the_forks_do) {
    struct Case {
        Fork fork;
        const char* code;
        uint64_t original;
        int64_t gas;
        int64_t refund;
    };
    // EIP-1283, EIP-2200, EIP-3529: slot 0 is written two or three times.
    const Case cases[] = {
        {Fork::Constantinople, "60006000556000600055", 0, 412, 0},
        {Fork::Constantinople, "60006000556001600055", 0, 20212, 0},
        {Fork::Constantinople, "60016000556000600055", 0, 20212, 19800},
        {Fork::Constantinople, "60006000556000600055", 1, 5212, 15000},
        {Fork::Petersburg, "60016000556000600055", 0, 25012, 15000},
        {Fork::Istanbul, "60006000556000600055", 0, 1612, 0},
        {Fork::Istanbul, "60016000556000600055", 0, 20812, 19200},
        {Fork::Istanbul, "60006000556001600055", 1, 5812, 4200},
        {Fork::London, "60006000556001600055", 1, 5112, 2800},
        {Fork::London, "60006000556000600055", 1, 5112, 4800},
        {Fork::London, "60016000556000600055", 0, 22212, 19900},
    };
    for (const Case& c : cases) {
        Machine machine(c.fork);
        if (c.original != 0) {
            machine.host.world.accounts[account(1)].storage[U256(0)] = U256(c.original);
        }
        const CallResult result = machine.run(c.code);
        ASSERT_EQ(result.status, Status::Success);
        EXPECT_EQ(1'000'000 - result.gas_left, c.gas) << c.code << static_cast<int>(c.fork);
        EXPECT_EQ(machine.host.world.refund, c.refund) << c.code << static_cast<int>(c.fork);
    }
}

TEST(Interpreter, halts_an_sstore_that_has_only_the_stipend) {
    Machine machine(Fork::Istanbul);
    EXPECT_EQ(machine.run("6000600055", 2306).status, Status::OutOfGas);
    EXPECT_EQ(machine.run("6000600055", 2307).status, Status::Success);
}

TEST(Calls, revert_takes_the_state_back_and_hands_its_data_up) {
    Machine machine(Fork::Osaka);
    machine.host.world.accounts[account(2)].code = bytes_of("600160005560aa60005360016000fd");
    // call 0x1102, store the result + 1 in slot 1 and RETURNDATASIZE in slot 2
    const CallResult result = machine.run("5f5f5f5f5f6111025af16001016001553d60025500");
    ASSERT_EQ(result.status, Status::Success);
    EXPECT_EQ(machine.slot(1, 1), U256(1));
    EXPECT_EQ(machine.slot(1, 2), U256(1));
    EXPECT_EQ(machine.slot(2, 0), U256(0));
}

TEST(Calls, a_static_call_may_not_write) {
    Machine machine(Fork::Osaka);
    machine.host.world.accounts[account(2)].code = bytes_of("6001600055");
    ASSERT_EQ(machine.run("5f5f5f5f611102620186a0fa60010160015500").status, Status::Success);
    EXPECT_EQ(machine.slot(1, 1), U256(1));
    EXPECT_EQ(machine.slot(2, 0), U256(0));
}

TEST(Calls, run_the_code_of_a_delegate_once) {
    Machine machine(Fork::Prague);
    machine.host.world.accounts[account(2)].code =
        bytes_of("ef01000000000000000000000000000000000000001103");
    machine.host.world.accounts[account(3)].code = bytes_of("602a600055");
    ASSERT_EQ(machine.run("5f5f5f5f5f6111025af100").status, Status::Success);
    EXPECT_EQ(machine.slot(2, 0), U256(42));
    // A delegate that is itself a designator is executed as code, and 0xef halts.
    machine.host.world.accounts[account(3)].code = machine.host.world.accounts[account(2)].code;
    ASSERT_EQ(machine.run("5f5f5f5f5f611102620186a0f160010160015500").status, Status::Success);
    EXPECT_EQ(machine.slot(1, 1), U256(1));
}

TEST(Calls, go_1024_deep_and_not_deeper) {
    Machine machine(Fork::Frontier);
    // Slot 0 counts the frames; each calls itself with all but 30000 gas.
    const CallResult result = machine.run(
        "6000546001016000556000600060006000600061110162007530"
        "5a03f1",
        60'000'000);
    ASSERT_EQ(result.status, Status::Success);
    EXPECT_EQ(machine.slot(1, 0), U256(1025));
}

TEST(Calls, a_precompile_answers) {
    Machine machine(Fork::Osaka);
    // IDENTITY of the word 7
    const CallResult result = machine.run("600760005260206020602060005f60045af15060206020f3");
    ASSERT_EQ(result.status, Status::Success);
    EXPECT_EQ(U256::from_be(result.output), U256(7));
}

TEST(Access, precompiles_of_the_fork_are_warm_but_in_system_calls) {
    Machine machine(Fork::Cancun);
    EXPECT_EQ(machine.run("600a31").gas_left, 1'000'000 - 3 - 100);
    EXPECT_EQ(machine.run("600b31").gas_left, 1'000'000 - 3 - 2600);
    Machine system(Fork::Cancun);
    system.tx.precompiles_are_warm = false;
    EXPECT_EQ(system.run("600a31").gas_left, 1'000'000 - 3 - 2600);
}

TEST(Creates, deposit_code_and_count_the_nonce) {
    Machine machine(Fork::Osaka);
    // init code 60006000f3 extended: returns one zero byte: 60016000f3
    const CallResult result = machine.run("6460016000f36000526005601b5ff060005260206000f3");
    ASSERT_EQ(result.status, Status::Success);
    const Address created = create_address(account(1), 0);
    EXPECT_EQ(Address(result.output.sub(12)), created);
    EXPECT_EQ(machine.host.code(created), ByteView(Bytes{0}));
    EXPECT_EQ(machine.host.nonce(created), 1u);
    EXPECT_EQ(machine.host.nonce(account(1)), 1u);
}

TEST(Creates, collide_with_storage_and_keep_the_nonce) {
    Machine machine(Fork::Osaka);
    machine.host.world.accounts[create_address(account(1), 0)].storage[U256(1)] = U256(1);
    const CallResult result = machine.run("6460016000f36000526005601b5ff060005260206000f3");
    ASSERT_EQ(result.status, Status::Success);
    EXPECT_EQ(U256::from_be(result.output), U256(0));
    EXPECT_EQ(machine.host.nonce(account(1)), 1u);
    EXPECT_LT(result.gas_left, 1'000'000 / 64);
}

TEST(Creates, an_unaffordable_deposit_fails_from_homestead_on) {
    for (const Fork fork : {Fork::Frontier, Fork::Homestead}) {
        Machine machine(fork);
        Message message;
        message.kind = CallKind::Create;
        message.sender = account(0xcc);
        message.recipient = account(9);
        message.gas = 300;
        const Bytes init = bytes_of("60406000f3");
        message.input = init;
        const CallResult result = machine.execute(message);
        EXPECT_EQ(result.status, fork == Fork::Frontier ? Status::Success : Status::CodeUnpaid);
        EXPECT_EQ(result.gas_left, fork == Fork::Frontier ? 300 - 12 : 0);
    }
}

TEST(Creates, know_the_addresses_of_eip_1014) {
    EXPECT_EQ(create2_address(Address{}, U256(0), ByteView(Bytes{0})),
              address_of("4D1A2e2bB4F88F0250f26Ffff098B0b30B26BF38"));
    EXPECT_EQ(create2_address(address_of("00000000000000000000000000000000deadbeef"),
                              U256(0xcafebabe), ByteView(bytes_of("deadbeef"))),
              address_of("60f3f640a8508fC6a86d45DF051962668E1e8AC7"));
}

TEST(Selfdestruct, moves_the_balance_and_spares_an_old_account_from_cancun_on) {
    for (const Fork fork : {Fork::Berlin, Fork::Cancun}) {
        Machine machine(fork);
        machine.host.world.accounts[account(1)].balance = U256(5);
        ASSERT_EQ(machine.run("611107ff").status, Status::Success);
        EXPECT_EQ(machine.host.balance(account(7)), U256(5));
        EXPECT_EQ(machine.host.world.destructed.contains(account(1)), fork == Fork::Berlin);
        EXPECT_EQ(machine.host.world.refund, fork == Fork::Berlin ? 24000 : 0);
    }
}

TEST(Vectors, arithmetic_opcodes_give_the_expected_words) {
    const auto set = tests::fixture_set("precompiles");
    if (!set) GTEST_SKIP() << "no fixtures: set KEEL_FIXTURES, or run make conformance";
    const std::pair<const char*, const char*> ops[] = {
        {"add", "01"}, {"mul", "02"},  {"sub", "03"},  {"div", "04"},     {"sdiv", "05"},
        {"mod", "06"}, {"smod", "07"}, {"exp", "0a"},  {"signext", "0b"}, {"lt", "10"},
        {"gt", "11"},  {"slt", "12"},  {"sgt", "13"},  {"eq", "14"},      {"and", "16"},
        {"or", "17"},  {"xor", "18"},  {"byte", "1a"}, {"shl", "1b"},     {"shr", "1c"},
        {"sar", "1d"}};
    Machine machine(Fork::Osaka);
    size_t count = 0;
    for (const auto& [name, op] : ops) {
        std::ifstream file(*set / "opcodes" / ("testcases_" + std::string(name) + ".json"));
        for (const json& entry : json::parse(file)) {
            const auto x = entry.at("X").get<std::string>();
            const auto y = entry.at("Y").get<std::string>();
            const CallResult result = machine.run("7f" + x + "7f" + y + op + "60005260206000f3");
            ASSERT_EQ(result.status, Status::Success);
            EXPECT_EQ(result.output, ByteView(bytes_of(entry.at("Expected").get<std::string>())))
                << name << " " << x << " " << y;
            ++count;
        }
    }
    EXPECT_EQ(count, 21u * 81u);
}

void load_accounts(const json& from, std::map<Address, MapHost::Account>& to) {
    for (const auto& [name, fields] : from.items()) {
        MapHost::Account& loaded = to[address_of(name)];
        loaded.balance = number_of(fields.at("balance"));
        loaded.nonce = number_of(fields.at("nonce")).low64();
        loaded.code = bytes_of(fields.at("code").get<std::string>());
        for (const auto& [slot, value] : fields.at("storage").items()) {
            loaded.storage[U256::parse(slot).value()] = number_of(value);
        }
    }
}

void check_vm_test(const std::string& name, const json& test, Workspace& workspace) {
    const core::ForkRules rules = core::rules_of(Fork::Frontier);
    MapHost host(rules);
    load_accounts(test.at("pre"), host.world.accounts);
    host.begin_transaction();
    const json& env = test.at("env");
    BlockContext block;
    block.coinbase = address_of(env.at("currentCoinbase").get<std::string>());
    block.difficulty = number_of(env.at("currentDifficulty"));
    block.gas_limit = number_of(env.at("currentGasLimit")).low64();
    block.number = number_of(env.at("currentNumber")).low64();
    block.timestamp = number_of(env.at("currentTimestamp")).low64();
    const json& exec = test.at("exec");
    TxContext tx;
    tx.origin = address_of(exec.at("origin").get<std::string>());
    tx.gas_price = number_of(exec.at("gasPrice"));
    const Bytes data = bytes_of(exec.at("data").get<std::string>());
    const Bytes code = bytes_of(exec.at("code").get<std::string>());
    Message message;
    message.gas = static_cast<int64_t>(number_of(exec.at("gas")).low64());
    message.sender = address_of(exec.at("caller").get<std::string>());
    message.recipient = address_of(exec.at("address").get<std::string>());
    message.value = number_of(exec.at("value"));
    message.input = data;
    Evm evm(workspace, host, rules, block, tx);
    // The value is there already: the code runs without a call.
    Code known(code);
    const CallResult result = interpret(evm, message, code, known, workspace.stack());
    if (!test.contains("post")) {
        EXPECT_NE(result.status, Status::Success) << name;
        return;
    }
    ASSERT_EQ(result.status, Status::Success) << name;
    EXPECT_EQ(result.gas_left, static_cast<int64_t>(number_of(test.at("gas")).low64())) << name;
    EXPECT_EQ(result.output, ByteView(bytes_of(test.at("out").get<std::string>()))) << name;
    std::map<Address, MapHost::Account> expected;
    load_accounts(test.at("post"), expected);
    for (const auto& [address, wanted] : expected) {
        EXPECT_EQ(host.world.accounts[address].storage, wanted.storage) << name;
    }
}

TEST(Vectors, old_vm_tests_end_with_the_expected_gas_output_and_storage) {
    const auto set = tests::fixture_set("legacytests");
    if (!set) GTEST_SKIP() << "no fixtures: set KEEL_FIXTURES, or run make conformance";
    Workspace workspace;
    size_t count = 0;
    const auto folder = *set / "Constantinople" / "VMTests";
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (entry.path().extension() != ".json") continue;
        std::ifstream file(entry.path());
        const json tests = json::parse(file);
        for (const auto& [name, test] : tests.items()) {
            check_vm_test(name, test, workspace);
            ++count;
        }
    }
    EXPECT_GE(count, 400u);
}

}  // namespace
}  // namespace keel::evm
