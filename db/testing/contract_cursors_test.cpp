// KV.md A.11, cursors against the golden rows and against the model: K10 to K18.

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <sstream>

#include "db/testing/contract_fixture.hpp"

namespace keel::db::testing {

namespace {

TYPED_TEST_SUITE(KvContract, BothBackends, BackendNames);

/// Number of a row's name, "G24 aa 9" -> 24.
int number_of_golden(std::string_view name) {
    return std::stoi(std::string(name.substr(1)));
}

/// Runs the rows first to last of KV.md A.5 in a write txn; those that only read also in a read
/// txn.
template <class Test>
void check_golden_rows(Test& test, std::initializer_list<int> numbers) {
    test.fill_golden();
    size_t rows_run = 0;
    for (const GoldenRow& golden : golden_rows()) {
        if (std::ranges::find(numbers, number_of_golden(golden.name)) == numbers.end()) continue;
        ++rows_run;
        SCOPED_TRACE(golden.name);
        const Table table = test.table(golden.table);
        const std::string all = std::string(golden.start) + ";" + std::string(golden.act);
        {
            WriteTxn txn = test.writer();
            const std::string before = test.content_of(txn, table);
            EXPECT_EQ(test.play(txn, table, all), "");
            EXPECT_EQ(test.content_of(txn, table),
                      golden.content.empty() ? before : std::string(golden.content));
        }
        for (const ScriptLine& question : parse_script(golden.then)) {
            WriteTxn txn = test.writer();
            EXPECT_EQ(test.play(txn, table, all + ";" + question.text), "");
        }
        if (!only_reads(parse_script(all))) continue;
        for (const ScriptLine& question : parse_script(golden.then)) {
            const ReadTxn txn = test.reader();
            auto open = [&] { return std::make_unique<ReadCursor>(txn.cursor(table)); };
            ScriptRunner<ReadCursor, decltype(open)> runner(table.kind, open);
            EXPECT_EQ(runner.run(parse_script(all + ";" + question.text)), "") << "read txn";
        }
    }
    EXPECT_GE(rows_run, numbers.size());
}

TYPED_TEST(KvContract, K10_golden_rows_of_the_plain_table) {
    check_golden_rows(*this, {1, 2, 3, 4, 5, 6, 7, 8, 9});
}

TYPED_TEST(KvContract, K11_golden_rows_of_moves_in_the_dup_table) {
    check_golden_rows(*this, {10, 11, 12, 13, 21, 22, 23, 24});
}

TYPED_TEST(KvContract, K12_golden_rows_of_deletes_in_the_dup_table) {
    check_golden_rows(*this, {14, 15, 16, 17, 18, 19, 20});
}

TYPED_TEST(KvContract, K13_golden_rows_of_put_current) {
    check_golden_rows(*this, {25, 26, 27});
}

TYPED_TEST(KvContract, K14_golden_rows_of_append) {
    check_golden_rows(*this, {28, 29, 30});
}

TYPED_TEST(KvContract, K15_golden_rows_of_fresh_cursors_and_of_entries_put_again) {
    check_golden_rows(*this, {31, 32});
}

/// Ways into every position state of A.5 on one table. B is another cursor or stands for a write
/// through the txn.
std::vector<std::string> starts_of(std::span<const Row> all, Kind kind) {
    std::vector<std::string> starts = {
        "",                             // Fresh
        "seek zz",                      // End
        "seek_exact aac",               // Lost
        "del aac",                      // Lost
        "first; next; prev",            // At the first, reached by moves
        "last; next",                   // At the last after a failed move
        "first; prev",                  // At the first after a failed move
        "first; seek_exact zz",         // Lost from At
        "seek zz; next",                // End after a failed move
        "seek zz; B put zzz 1",         // End, with an entry behind it now
        "seek_exact aac; B put aac 1",  // Lost, though the key is there now
    };
    const auto at = [&](const Row& row) {
        const std::string key = row.key.empty() ? "\"\"" : std::string(ByteView(row.key).text());
        const std::string value(ByteView(row.value).text());
        return kind == Kind::Plain ? "A seek_exact " + key
                                   : "A seek_both_exact " + key + " " + value;
    };
    for (const Row& row : all) {
        const std::string on = at(row);
        const std::string key(ByteView(row.key).text());
        const std::string value(ByteView(row.value).text());
        std::string on_b = on;
        on_b[0] = 'B';
        starts.push_back(on);                                           // At
        starts.push_back(on + "; A delete_current");                    // Gap
        starts.push_back(on + "; A delete_current; A delete_current");  // Gap behind a Gap
        starts.push_back(on + "; A delete_all_dups");                   // Gap of a group
        starts.push_back(on + "; A del " + key);                        // Gap of a group
        starts.push_back(on + "; " + on_b + "; B delete_current");      // Gap by another
        starts.push_back(on + "; A delete_current; A next_dup; A prev_nodup; A next_dup");
        starts.push_back(on + "; A delete_current; B put " + key + " " + value);  // put again
        starts.push_back(on + "; A delete_current; B put " + key + " 0");         // a smaller value
        starts.push_back(on + "; A delete_current; B put " + key + " 99");        // a greater value
        starts.push_back(on + "; A delete_all_dups; B put " + key + " 5");        // the group again
        starts.push_back(on + "; A delete_current; B del " + key);  // the group gone too
        starts.push_back(on +
                         "; A delete_current; B first; B delete_current; B last; "
                         "B delete_current");
        starts.push_back(on + "; B put " + key + " 15");
        starts.push_back(on + "; A put_no_overwrite " + key + " 7");
        starts.push_back(on + "; A append " + key + " 0");  // refused: At the last entry
        if (kind == Kind::DupSort) {
            starts.push_back("A delete_exact " + key + " " + value);
            starts.push_back(on + "; A delete_exact " + key + " zz");  // Lost
            starts.push_back(on + "; A put_current " + key + " 55");
            starts.push_back(on + "; B put_current " + key + " 55");  // refused: B is Fresh
            starts.push_back(on + "; A append_dup " + key + " 0");    // refused: At last of key
        }
    }
    return starts;
}

/// Every operation, with arguments before, between, on and behind the entries.
std::vector<Step> all_steps() {
    const std::array<const char*, 6> keys = {"", "aa", "aab", "aac", "b", "zz"};
    const std::array<const char*, 3> values = {"1", "2", "9"};
    std::vector<Step> steps;
    for (size_t op_index = 0; op_index < kOpCount; ++op_index) {
        const Op op = static_cast<Op>(op_index);
        const int arguments = argument_count(op);
        if (arguments == 0) {
            steps.push_back({op, {}, {}});
            continue;
        }
        for (const char* key : keys) {
            if (arguments == 1) {
                steps.push_back({op, ByteView(key).to_bytes(), {}});
                continue;
            }
            for (const char* value : values)
                steps.push_back({op, ByteView(key).to_bytes(), ByteView(value).to_bytes()});
        }
    }
    return steps;
}

// K16 (A.5): the whole matrix of (state, operation, follow-up), each against the model.
TYPED_TEST(KvContract, K16_every_operation_in_every_state_answers_as_the_model) {
    const std::vector<Step> steps = all_steps();
    // One follow-up a repetition, because the questions move the cursor themselves: these, and the
    // others in turn.
    constexpr std::array<Op, 3> kAlways = {Op::Current, Op::Next, Op::Prev};
    constexpr std::array<Op, 9> kInTurn = {Op::NextDup,   Op::PrevDup,       Op::NextNodup,
                                           Op::PrevNodup, Op::FirstDup,      Op::LastDup,
                                           Op::CountDups, Op::DeleteCurrent, Op::DeleteAllDups};
    const std::vector<Row> one_plain = {row("aa", "1")};
    const std::vector<Row> one_group = {row("aa", "1"), row("aa", "2"), row("aa", "3")};
    struct Case {
        Kind kind;
        std::span<const Row> rows;
    };
    const std::array<Case, 6> cases = {{{Kind::Plain, rows_of(GoldenTable::P5)},
                                        {Kind::DupSort, rows_of(GoldenTable::D9)},
                                        {Kind::Plain, {}},
                                        {Kind::DupSort, {}},
                                        {Kind::Plain, one_plain},
                                        {Kind::DupSort, one_group}}};
    size_t repetition = 0;
    for (const Case& one : cases) {
        const Table table = this->table(one.kind);
        this->store().update([&](WriteTxn& txn) {
            txn.clear_table(table);
            for (const Row& row : one.rows) txn.put(table, row.key, row.value);
        });
        for (const std::string& start_text : starts_of(one.rows, one.kind)) {
            const Script start = parse_script(start_text);
            for (const Step& step : steps) {
                for (size_t ask = 0; ask <= kAlways.size(); ++ask) {
                    ++repetition;
                    const Op question = ask < kAlways.size()
                                            ? kAlways[ask]
                                            : kInTurn[repetition / 4 % kInTurn.size()];
                    // Checked builds look at a part of the matrix, spread over all of it.
                    if (kSlowdown > 1 && repetition % 17 != 0) continue;
                    ModelTable model(one.kind);
                    for (const Row& row : one.rows) model.put(row.key, row.value);
                    auto open_model = [&] { return std::make_unique<ModelCursor>(model); };
                    ScriptRunner<ModelCursor, decltype(open_model)> expected(one.kind, open_model);
                    WriteTxn txn = this->writer();
                    auto open_store = [&] {
                        return std::make_unique<WriteCursor>(txn.cursor(table));
                    };
                    ScriptRunner<WriteCursor, decltype(open_store)> got(one.kind, open_store);
                    const auto explain = [&](std::string_view at) {
                        std::ostringstream text;
                        text << "start '" << start_text << "', then " << step << ", then "
                             << to_string(question) << ": at " << at;
                        return text.str();
                    };
                    expected.cursor('A');
                    got.cursor('A');
                    for (const ScriptLine& line : start)
                        ASSERT_EQ(got.run_line(line), expected.run_line(line))
                            << explain(line.text);
                    ASSERT_EQ(run(got.cursor('A'), step), run(expected.cursor('A'), step))
                        << explain("the operation");
                    const Step asked{question, {}, {}};
                    ASSERT_EQ(run(got.cursor('A'), asked), run(expected.cursor('A'), asked))
                        << explain("the question");
                    if (!writes(step.op) && !writes(question)) continue;
                    ASSERT_EQ(digest(txn, table), digest(model)) << explain("the content");
                }
            }
        }
    }
}

/// What a random walk does: which keys and values, and how often content shrinks.
struct Walk {
    Kind kind;
    size_t steps;
    size_t cursors;
    std::function<Bytes(Random&)> key;
    std::function<Bytes(Random&)> value;
    size_t check_content_every;
    std::vector<Row> initial;  // ascending
};

/// One random walk in one write txn: cursors and calls of the txn mixed, every answer compared with
/// the model's.
template <class Test>
void walk(Test& test, Random& random, const Walk& walk) {
    const Table table = test.table(walk.kind);
    WriteTxn txn = test.writer();
    txn.clear_table(table);
    ModelTable model(walk.kind);
    for (const Row& row : walk.initial) {
        txn.append(table, row.key, row.value);
        model.append(row.key, row.value);
    }
    std::vector<WriteCursor> got;
    std::vector<std::unique_ptr<ModelCursor>> expected;
    for (size_t index = 0; index < walk.cursors; ++index) {
        got.push_back(txn.cursor(table));
        expected.push_back(std::make_unique<ModelCursor>(model));
    }
    struct Done {
        size_t cursor;
        std::string_view state;
        Step step;
    };
    std::array<Done, 16> history;  // the last steps, for the message
    size_t done = 0;
    const auto explain = [&] {
        std::ostringstream text;
        text << "last steps:\n";
        for (size_t at = done - std::min(done, history.size()); at < done; ++at) {
            const Done& one = history[at % history.size()];
            text << "  " << (one.cursor < walk.cursors ? "cursor " : "txn ") << one.cursor << " ("
                 << one.state << ") " << one.step << "\n";
        }
        return text.str();
    };
    const auto remember = [&](size_t cursor, const Step& step, std::string_view state) {
        history[done++ % history.size()] = {cursor, state, step};
    };
    /// Both throw the same error or none.
    const auto same_error = [](auto&& store, auto&& twin) {
        return error_of(store) == error_of(twin);
    };
    for (size_t number = 0; number < walk.steps; ++number) {
        Step step{static_cast<Op>(random.below(kOpCount)), {}, {}};
        // Clearing a whole group at each sixth step would keep the table empty.
        const bool wide_delete = step.op == Op::DeleteAllDups || step.op == Op::Del;
        if (wide_delete && !random.one_in(4)) step.op = Op::Put;
        if (argument_count(step.op) > 0) step.key = walk.key(random);
        if (argument_count(step.op) > 1) step.value = walk.value(random);
        const size_t cursor = random.below(walk.cursors + 1);
        if (cursor < walk.cursors) {
            // put_current and the pair operations with the key under the cursor, else they are
            // mostly refused.
            if (step.op == Op::PutCurrent && random.one_in(2)) {
                const auto entry = expected[cursor]->current();
                const Hit same = got[cursor].current();
                ASSERT_EQ(same.has_value(), entry.has_value()) << explain();
                if (entry) step.key = entry->key;
            }
            remember(cursor, step, expected[cursor]->state_name());
            const Outcome wanted = run(*expected[cursor], step);
            ASSERT_EQ(run(got[cursor], step), wanted) << explain();
        } else {
            // The same through the transaction, under the cursors' feet.
            remember(cursor, step, "txn");
            if (step.op == Op::Append) {
                ASSERT_TRUE(same_error([&] { txn.append(table, step.key, step.value); },
                                       [&] { model.append(step.key, step.value); }))
                    << explain();
            } else if (step.op == Op::AppendDup) {
                ASSERT_TRUE(same_error([&] { txn.append_dup(table, step.key, step.value); },
                                       [&] { model.append_dup(step.key, step.value); }))
                    << explain();
            } else if (step.op == Op::PutNoOverwrite) {
                ASSERT_EQ(txn.put_no_overwrite(table, step.key, step.value),
                          model.put_no_overwrite(step.key, step.value))
                    << explain();
            } else if (step.op == Op::DeleteExact && walk.kind == Kind::DupSort) {
                ASSERT_EQ(txn.del(table, step.key, step.value), model.del(step.key, step.value))
                    << explain();
            } else if (step.op == Op::Del) {
                ASSERT_EQ(txn.del(table, step.key), model.del(step.key)) << explain();
            } else if (writes(step.op) && argument_count(step.op) == 2) {
                txn.put(table, step.key, step.value);
                model.put(step.key, step.value);
            } else if (step.op == Op::DeleteAllDups && random.one_in(8)) {
                const Bytes from = walk.key(random);
                const Bytes to = walk.key(random);
                // A short range: else the table would never fill.
                const Bytes end = std::min(to, from.empty() ? to : *next_prefix(from));
                ASSERT_EQ(txn.del_range(table, from, end), model.del_range(from, end)) << explain();
            } else {
                const Bytes key = walk.key(random);
                const auto value = txn.get(table, key);
                const auto wanted = model.get(key);
                ASSERT_EQ(value.has_value(), wanted.has_value()) << explain();
                if (value) {
                    ASSERT_EQ(*value, ByteView(*wanted)) << explain();
                }
            }
        }
        if (number % walk.check_content_every == 0) {
            ASSERT_EQ(digest(txn, table), digest(model)) << explain();
            ASSERT_EQ(txn.count(table), model.size()) << explain();
        }
    }
    ASSERT_EQ(digest(txn, table), digest(model)) << explain();
    txn.commit();
    const ReadTxn reader = test.reader();
    ASSERT_EQ(digest(reader, table), digest(model));
}

// K17 (A.5): three cursors in one write txn, keys of 0 to 4 bytes, groups of up to 50 values.
TYPED_TEST(KvContract, K17_random_walks_of_three_cursors_agree_with_the_model) {
    Random random = this->random();
    constexpr std::string_view kLetters("\x00\x61\x62", 3);
    const auto short_key = [&](Random& from) { return from.bytes(from.below(5), kLetters); };
    const auto one_of_50 = [](Random& from) {
        const std::string text = std::to_string(from.below(50));
        // Some long values, so that groups outgrow a page.
        return ByteView(text + std::string(from.one_in(16) ? 200 : 0, 'v')).to_bytes();
    };
    for (const Kind kind : {Kind::Plain, Kind::DupSort}) {
        SCOPED_TRACE(kind == Kind::Plain ? "plain" : "dupsort");
        walk(*this, random, {kind, scaled(500'000), 3, short_key, one_of_50, 5'000, {}});
        if (this->HasFatalFailure()) return;
    }
}

// K17 (A.5): the same among many keys of 40 bytes, so that pages split and merge under the cursors.
TYPED_TEST(KvContract, K17_random_walks_among_many_long_keys_agree_with_the_model) {
    Random random = this->random();
    const size_t count = scaled(100'000, 4'000);
    std::vector<Bytes> keys;
    for (size_t number = 0; number < count; ++number) keys.push_back(random.bytes(40, "abcdefgh"));
    std::ranges::sort(keys);
    std::vector<Row> initial;
    for (const Bytes& key : keys) {
        if (!initial.empty() && initial.back().key == key) continue;
        initial.push_back({key, ByteView("initial").to_bytes()});
    }
    const auto known_or_new = [&](Random& from) {
        return from.one_in(8) ? from.bytes(40, "abcdefgh") : keys[from.below(keys.size())];
    };
    const auto value = [](Random& from) { return from.bytes(from.below(120), "xyz"); };
    for (const Kind kind : {Kind::Plain, Kind::DupSort}) {
        SCOPED_TRACE(kind == Kind::Plain ? "plain" : "dupsort");
        walk(*this, random,
             {kind, scaled(100'000), 3, known_or_new, value, scaled(50'000), initial});
        if (this->HasFatalFailure()) return;
    }
}

// K18 (B1). Seen elsewhere: next_nodup and last_dup went to the "next prefix" and one back, and
// lost keys.
TYPED_TEST(KvContract, K18_next_nodup_and_last_dup_know_keys_that_are_prefixes_of_others) {
    this->fill_golden();
    WriteTxn txn = this->writer();
    EXPECT_EQ(this->play(txn, this->d(),
                         "first -> a:1; next_nodup -> aa:1; last_dup -> aa:3; next_nodup -> aab:7;"
                         "last_dup -> aab:7; next_nodup -> ab:1; last_dup -> ab:2;"
                         "next_nodup -> b:8; last_dup -> b:9; next_nodup -> ·; current -> b:9"),
              "");
    // A trie's paths: nibbles as bytes, of every length, one often the prefix of many others.
    Random random = this->random();
    txn.clear_table(this->d());
    constexpr std::string_view kNibbles(
        "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f", 16);
    std::map<Bytes, std::vector<Bytes>> groups;
    for (size_t number = 0; number < scaled(20'000, 1'000); ++number) {
        Bytes path = random.bytes(random.below(6), ByteView(kNibbles).sub(0, 4));
        if (random.one_in(3)) core::append(path, random.bytes(random.below(60), kNibbles));
        std::vector<Bytes>& values = groups[path];
        const Bytes value = number_key(random.below(40));
        if (std::ranges::find(values, value) == values.end()) values.push_back(value);
        txn.put(this->d(), path, value);
    }
    WriteCursor cursor = txn.cursor(this->d());
    Hit hit = cursor.first();
    for (auto& [path, values] : groups) {
        std::ranges::sort(values);
        ASSERT_EQ(hit, (Entry{path, values.front()}));
        ASSERT_EQ(cursor.count_dups(), values.size());
        ASSERT_EQ(cursor.last_dup(), (Entry{path, values.back()}));
        hit = cursor.next_nodup();
    }
    ASSERT_EQ(hit, std::nullopt);
    hit = cursor.last();
    for (auto group = groups.rbegin(); group != groups.rend(); ++group) {
        ASSERT_EQ(hit, (Entry{group->first, group->second.back()}));
        ASSERT_EQ(cursor.first_dup(), (Entry{group->first, group->second.front()}));
        hit = cursor.prev_nodup();
    }
    ASSERT_EQ(hit, std::nullopt);
}

// At the ends of a group, above all of the last one, where a cursor may think that it has come to
// the table's end.
TYPED_TEST(KvContract, a_failed_step_in_a_group_or_a_jump_to_its_ends_leaves_the_walk_whole) {
    this->fill_golden();
    constexpr std::string_view kWalks[] = {
        "last -> b:9; first_dup -> b:8; next -> b:9; next -> ·; current -> b:9; prev -> b:8",
        "last -> b:9; next -> ·; first_dup -> b:8; next_dup -> b:9; next_dup -> ·; prev -> b:8",
        "seek b -> b:8; last_dup -> b:9; next_dup -> ·; prev_dup -> b:8; next -> b:9; next -> ·",
        "last -> b:9; prev -> b:8; last_dup -> b:9; next_nodup -> ·; first_dup -> b:8; next -> b:9",
        "first -> a:1; next_dup -> ·; next_dup -> ·; next -> aa:1; last_dup -> aa:3; next_dup -> ·;"
        "next_dup -> ·; next -> aab:7; next_dup -> ·; last_dup -> aab:7; prev -> aa:3",
        "first -> a:1; last_dup -> a:1; first_dup -> a:1; next_nodup -> aa:1; next_dup -> aa:2;"
        "last_dup -> aa:3; prev -> aa:2; next_dup -> aa:3; next_dup -> ·; next_nodup -> aab:7"};
    for (const std::string_view walk : kWalks) {
        SCOPED_TRACE(walk);
        {
            WriteTxn txn = this->writer();
            EXPECT_EQ(this->play(txn, this->d(), walk), "");
        }
        const ReadTxn txn = this->reader();
        auto open = [&] { return std::make_unique<ReadCursor>(txn.cursor(this->d())); };
        ScriptRunner<ReadCursor, decltype(open)> runner(Kind::DupSort, open);
        EXPECT_EQ(runner.run(parse_script(walk)), "") << "read txn";
    }
}

}  // namespace

}  // namespace keel::db::testing
