#include "db/testing/model_store.hpp"

#include <gtest/gtest.h>

#include "db/testing/golden_rows.hpp"
#include "db/testing/script.hpp"

namespace keel::db::testing {

namespace {

ModelTable filled(GoldenTable which) {
    ModelTable table(kind_of(which));
    for (const Row& row : rows_of(which)) table.put(row.key, row.value);
    return table;
}

auto runner_on(ModelTable& table) {
    auto open = [&table] { return std::make_unique<ModelCursor>(table); };
    return ScriptRunner<ModelCursor, decltype(open)>(table.kind(), open);
}

std::string content_of(ModelTable& table) {
    ModelCursor cursor(table);
    return content(cursor, table.kind());
}

TEST(ModelStore, answers_every_golden_row) {
    for (const GoldenRow& golden : golden_rows()) {
        SCOPED_TRACE(golden.name);
        const Script start = parse_script(golden.start);
        const Script act = parse_script(golden.act);
        {
            ModelTable table = filled(golden.table);
            const std::string before = content_of(table);
            auto runner = runner_on(table);
            EXPECT_EQ(runner.run(start), "");
            EXPECT_EQ(runner.run(act), "");
            const std::string expected =
                golden.content.empty() ? before : std::string(golden.content);
            EXPECT_EQ(content_of(table), expected);
        }
        for (const ScriptLine& question : parse_script(golden.then)) {
            ModelTable table = filled(golden.table);
            auto runner = runner_on(table);
            EXPECT_EQ(runner.run(start), "");
            EXPECT_EQ(runner.run(act), "");
            EXPECT_EQ(runner.run(Script{question}), "");
        }
    }
}

TEST(ModelStore, orders_a_prefix_before_the_longer_key) {
    ModelTable table(Kind::Plain);
    for (const char* key : {"b", "ab", "aab", "", "aa", "a"}) table.put(key, "x");
    EXPECT_EQ(content_of(table), "=x a=x aa=x aab=x ab=x b=x");
}

TEST(ModelStore, keeps_a_cursor_lost_after_clear_and_after_a_failed_seek) {
    ModelTable table = filled(GoldenTable::D9);
    ModelCursor cursor(table);
    cursor.first();
    table.clear();
    table.put("a", "1");
    EXPECT_EQ(cursor.state_name(), "Lost");
    EXPECT_FALSE(cursor.next());
    EXPECT_FALSE(cursor.current());
}

TEST(ModelStore, puts_every_cursor_on_a_deleted_entry_into_its_gap) {
    ModelTable table = filled(GoldenTable::D9);
    ModelCursor on_second(table);
    ModelCursor on_third(table);
    on_second.seek_both_exact("aa", "2");
    on_third.seek_both_exact("aa", "3");
    table.del("aa");
    EXPECT_EQ(on_second.state_name(), "Gap");
    EXPECT_EQ(on_third.state_name(), "Gap");
    table.put("aa", "25");
    EXPECT_EQ(on_second.next(), row("aa", "25"));
    EXPECT_EQ(on_third.prev(), row("aa", "25"));
}

TEST(ModelStore, copies_content_without_cursors_as_a_snapshot) {
    ModelTable table = filled(GoldenTable::P5);
    const ModelTable snapshot = table;
    table.put("a", "changed");
    table.del("b");
    EXPECT_EQ(snapshot.size(), 5u);
    EXPECT_EQ(snapshot.get("a"), ByteView("1").to_bytes());
    EXPECT_EQ(table.get("a"), ByteView("changed").to_bytes());
}

}  // namespace

}  // namespace keel::db::testing
