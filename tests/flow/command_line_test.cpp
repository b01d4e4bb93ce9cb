// The command line: hints at wrong words, and completion in bash.

#include <fmt/format.h>

#include "cmd/words.hpp"
#include "tests/flow/flow.hpp"

namespace keel::tests {
namespace {

TEST(CommandLine, the_nearest_word_is_found_up_to_a_third_of_its_letters) {
    const std::vector<std::string> words = {"--datadir", "--db", "--durability", "import", "init"};
    struct Case {
        const char* word;
        const char* nearest;
    };
    constexpr Case kCases[] = {{"--datdir", "--datadir"},
                               {"--dataidr", "--datadir"},
                               {"--durabilty", "--durability"},
                               {"imprt", "import"},
                               {"--bd", ""},
                               {"--verbose", ""},
                               {"", ""},
                               {"inti", "init"}};
    for (const Case& c : kCases)
        EXPECT_EQ(cmd::nearest_word(c.word, words).value_or(""), c.nearest) << c.word;
}

TEST(CommandLine, a_wrong_word_names_the_nearest_right_one) {
    struct Case {
        std::vector<std::string> arguments;
        const char* hint;
    };
    const Case cases[] = {
        {{"import", "--verfy-seal", "a.rlp"}, "did you mean --verify-seal?"},
        {{"init", "--overide.osaka=5", "a"}, "did you mean --override.osaka?"},
        {{"imprt", "a.rlp"}, "did you mean import?"},
        {{"db", "chekc"}, "did you mean check?"},
        {{"frobnicate"}, "frobnicate is not a command"},
    };
    const FlowFolder folder;
    for (const Case& c : cases) {
        const Ran ran = folder.keel(c.arguments);
        EXPECT_EQ(ran.exit_code, 2);
        EXPECT_NE(ran.err.find(c.hint), std::string::npos) << ran.err;
        EXPECT_EQ(ran.out, "");
    }
}

TEST(CommandLine, bash_completes_commands_and_flags) {
    struct Case {
        const char* line;
        const char* completed;
    };
    constexpr Case kCases[] = {
        {"keel imp", "import"},
        {"keel --dat", "--datadir"},
        {"keel db chec", "check checksum"},
        {"keel import --veri", "--verify-seal"},
        {"keel init --datad", "--datadir"},
        {"keel import chain", ""},
        {"keel db get --net", ""},
    };
    const FlowFolder folder;
    for (const Case& c : kCases) {
        const std::string script = fmt::format(
            "source <({} completion bash); read -ra COMP_WORDS <<< '{}'; "
            "COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _keel; echo \"completed: ${{COMPREPLY[*]}}\"",
            keel_program(), c.line);
        ChildProcess bash({"/bin/bash", "-c", script});
        EXPECT_EQ(bash.wait(), 0) << bash.output();
        EXPECT_EQ(bash.output(), fmt::format("completed: {}\n", c.completed)) << c.line;
    }
}

}  // namespace
}  // namespace keel::tests
