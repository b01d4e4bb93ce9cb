#include "node/logging.hpp"

#include <gtest/gtest.h>

namespace keel::node {
namespace {

TEST(Logging, a_line_has_level_time_event_and_fields) {
    EXPECT_EQ(log_line_text("info", "2026-01-02T03:04:05.678Z", "block_imported number=18 ms=2"),
              "info 2026-01-02T03:04:05.678Z block_imported number=18 ms=2");
}

TEST(Logging, json_has_the_same_names_and_numbers_where_they_are_exact) {
    struct Case {
        const char* payload;
        const char* fields;
    };
    constexpr Case kCases[] = {
        {"batch_committed number=18 hash=0x5ab1 blocks=3",
         R"("event":"batch_committed","number":18,"hash":"0x5ab1","blocks":3)"},
        {"Import error file=/a.rlp reason=\"invalid block 3: \\\"x\\\" a=b\"",
         R"("event":"Import error","file":"/a.rlp","reason":"invalid block 3: \"x\" a=b")"},
        {"ready", R"("event":"ready")"},
        {"", R"("event":"")"},
        {"a n=007 m=-4 k=1234567890123456 e= q=\"\"",
         R"("event":"a","n":"007","m":-4,"k":"1234567890123456","e":"","q":"")"},
        {"a n=1 stray words m=2", R"("event":"a","n":1,"m":2,"text":"stray words")"},
        {"a q=\"12\" open=\"never ends", R"("event":"a","q":"12","open":"never ends")"},
    };
    for (const Case& c : kCases)
        EXPECT_EQ(log_line_json("warn", "T", c.payload),
                  std::string(R"({"level":"warn","time":"T",)") + c.fields + "}");
}

TEST(Logging, values_with_blanks_are_quoted) {
    EXPECT_EQ(log_value("0x12"), "0x12");
    EXPECT_EQ(log_value(""), "\"\"");
    EXPECT_EQ(log_value("a \"b\"\n\\"), "\"a \\\"b\\\" \\\\\"");
}

TEST(Logging, levels_by_name_and_as_hive_counts_them) {
    EXPECT_EQ(log_level_of("warn"), LogLevel::Warn);
    EXPECT_EQ(log_level_of("trace"), LogLevel::Trace);
    EXPECT_EQ(log_level_of("loud"), std::nullopt);
    EXPECT_EQ(log_level_of_hive(0), LogLevel::Error);
    EXPECT_EQ(log_level_of_hive(3), LogLevel::Info);
    EXPECT_EQ(log_level_of_hive(5), LogLevel::Trace);
    EXPECT_EQ(log_level_of_hive(99), LogLevel::Trace);
}

}  // namespace
}  // namespace keel::node
