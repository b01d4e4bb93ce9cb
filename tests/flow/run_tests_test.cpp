// keel statetest and blocktest as a runner of fixtures drives them. Source: HIVE.md D.6.5.

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/hex.hpp"
#include "node/runners/alloc.hpp"
#include "tests/flow/flow.hpp"

namespace keel::tests {
namespace {

using nlohmann::json;

std::string root_of(std::string_view alloc_json) {
    simdjson::dom::parser parser;
    const auto alloc =
        node::runners::read_alloc(parser.parse(alloc_json).value().get_object().value());
    return core::to_hex_prefixed(node::runners::AllocState(alloc).root());
}

// 7 wei to 0x…bb, 21000 gas at 10 wei.
std::string state_test(std::string_view name, const std::string& root) {
    return fmt::format(
        R"("{}": {{"env": {{"currentCoinbase": "0x00000000000000000000000000000000000000cb",
            "currentDifficulty": "0x020000", "currentGasLimit": "0x0f4240",
            "currentNumber": "0x01", "currentTimestamp": "0x03e8"}},
        "pre": {{"0x7e5f4552091a69125d5dfcb7b8c2659029395bdf":
            {{"balance": "1000000000000000000", "nonce": "0x00"}}}},
        "transaction": {{"nonce": "0x00", "gasPrice": "0x0a", "gasLimit": ["0x5208"],
            "to": "0x00000000000000000000000000000000000000bb", "value": ["0x07"], "data": ["0x"],
            "sender": "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf"}},
        "post": {{"Berlin": [{{"hash": "{}",
            "logs": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
            "indexes": {{"data": 0, "gas": 0, "value": 0}}}}]}}}})",
        name, root);
}

std::string right_root() {
    return root_of(R"({
        "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf": {"balance": "999999999999789993",
                                                       "nonce": "0x01"},
        "0x00000000000000000000000000000000000000bb": {"balance": "0x07", "nonce": "0x00"},
        "0x00000000000000000000000000000000000000cb": {"balance": "210000", "nonce": "0x00"}})");
}

class FlowRunTests : public ::testing::Test {
  public:
    FlowFolder folder;
    const std::string root = right_root();
    const std::string good =
        folder.write("good.json", '{' + state_test("a::good[x-1]", root) + '}');
    const std::string both =
        folder.write("both.json", '{' + state_test("a::good[x-1]", root) + ',' +
                                      state_test(R"(a::bad \"quoted\")", root_of("{}")) + '}');
};

TEST_F(FlowRunTests, json_is_one_array_in_the_order_of_the_file) {
    const Ran ran = folder.keel({"statetest", "--json", "--workers", "3", both});
    EXPECT_EQ(ran.exit_code, 1) << ran.err;
    const json list = json::parse(ran.out);
    ASSERT_EQ(list.size(), 2u);
    EXPECT_EQ(
        list[0],
        (json{{"name", "a::good[x-1]"}, {"pass", true}, {"fork", "Berlin"}, {"stateRoot", root}}));
    EXPECT_EQ(list[1]["name"], "a::bad \"quoted\"");
    EXPECT_EQ(list[1]["pass"], false);
    EXPECT_NE(list[1]["error"].get<std::string>().find("state root is " + root), std::string::npos);
}

TEST_F(FlowRunTests, the_exit_code_is_1_when_a_test_failed_unless_asked_otherwise) {
    EXPECT_EQ(folder.keel({"statetest", good}).exit_code, 0);
    EXPECT_EQ(folder.keel({"statetest", good, both}).exit_code, 1);
    EXPECT_EQ(folder.keel({"statetest", "--exit-zero", both}).exit_code, 0);
    // A name that was escaped to be a regular expression.
    EXPECT_EQ(folder.keel({"statetest", "--run", R"(^a::good\[x\-1\]$)", both}).exit_code, 0);
    EXPECT_EQ(folder.keel({"statetest", "--fork", "London", both}).exit_code, 0);
    EXPECT_EQ(folder.keel({"statetest", "--run", "(", both}).exit_code, 2);
    EXPECT_EQ(folder.keel({"statetest", folder.datadir() + "/missing.json"}).exit_code, 2);
}

TEST_F(FlowRunTests, lines_for_people_end_with_the_numbers) {
    const Ran ran = folder.keel({"statetest", "--human", folder.path().string()});
    EXPECT_EQ(ran.exit_code, 1);
    EXPECT_NE(ran.out.find("PASS a::good[x-1] [Berlin d0 g0 v0]\n"), std::string::npos) << ran.out;
    EXPECT_NE(ran.out.find("FAIL a::bad \"quoted\" [Berlin d0 g0 v0]: state root is"),
              std::string::npos);
    EXPECT_TRUE(ran.out.ends_with("\n2 tests passed, 1 tests failed.\n")) << ran.out;
}

TEST_F(FlowRunTests, names_come_on_stdin_when_no_path_is_given) {
    const std::string names = folder.write("names.txt", good + "\n" + good + "\n");
    const Ran ran =
        folder.keel({"statetest"}, {.input = names, .environment = {}, .directory = {}});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_TRUE(ran.out.ends_with("\n2 tests passed, 0 tests failed.\n")) << ran.out;
}

TEST_F(FlowRunTests, members_of_another_format_are_counted_and_passed_over) {
    const Ran ran = folder.keel({"blocktest", both});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_NE(ran.out.find("2 members of another format passed over"), std::string::npos)
        << ran.out;
}

}  // namespace
}  // namespace keel::tests
