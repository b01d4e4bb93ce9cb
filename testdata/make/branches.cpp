#include "testdata/make/branches.hpp"

#include <memory>
#include <stdexcept>

#include "testdata/make/cast.hpp"
#include "testdata/make/main_chain.hpp"

namespace keel::testdata {
namespace {

// A branch off `main` behind block `fork`: one block a time, each of them with the ordinary
// transactions.
std::unique_ptr<ChainMaker> branch(const ChainMaker& main, uint64_t fork, uint64_t salt,
                                   const std::vector<uint64_t>& times) {
    auto chain = main.up_to(fork);
    for (const uint64_t time : times) {
        const uint64_t number = chain->number() + 1;
        Draft draft(*chain, time);
        const core::ForkRules rules = chain->rules_at(time).rules;
        add_surroundings(draft, rules, number, salt);
        add_ordinary_txs(draft, rules, number, salt);
        chain->add(draft.plan);
    }
    return chain;
}

// Blocks [first, last] of a chain, the last of which is the head then.
Scenario::Step step(std::string about, const ChainMaker& chain, uint64_t first, uint64_t last) {
    return {std::move(about), chain.file(first, last), last, chain.hash(last)};
}

void expect(bool condition, const char* what) {
    if (!condition) throw std::runtime_error(std::string("branches: not so: ") + what);
}

// Proof of work: blocks that follow each other faster are harder.
Scenario across_london(const ChainMaker& main) {
    constexpr uint64_t kFork = at::kLondon - 2;
    constexpr uint64_t kTip = kFork + 4;
    const uint64_t start = at::time_of(kFork);
    const auto side = branch(main, kFork, 1, {start + 1, start + 2, start + 3, start + 4});
    expect(side->total_difficulty(kTip) > main.total_difficulty(kTip), "the side chain is heavier");
    expect(side->total_difficulty(kTip) < main.total_difficulty(kTip + 1),
           "one more block makes the main chain heavier");
    return {"london",
            "four blocks before and after London against four heavier ones, and back",
            {step("main chain", main, 1, kTip),
             step("heavier branch of four blocks", *side, kFork + 1, kTip),
             step("the main chain gets heavier again", main, kTip + 1, kTip + 1)}};
}

// The terminal difficulty is reached on both branches; then the last block that comes is the head.
Scenario across_merge(const ChainMaker& main) {
    constexpr uint64_t kFork = at::kMerge - 4;
    constexpr uint64_t kTip = at::kMerge + 1;
    const uint64_t start = at::time_of(kFork);
    const auto side =
        branch(main, kFork, 2, {start + 1, start + 2, start + 3, start + 20, start + 30});
    expect(side->head().difficulty.is_zero(), "the side chain ends in proof of stake");
    const auto heavier = branch(
        main, kFork - 4, 3,
        {start - 39, start - 38, start - 37, start - 36, start - 35, start - 34, start - 33});
    const uint64_t heavy_tip = heavier->number();
    expect(!heavier->head().difficulty.is_zero(), "the heavier chain is proof of work");
    expect(heavier->total_difficulty(heavy_tip) > side->total_difficulty(at::kMerge - 1),
           "it is heavier than all");
    Scenario scenario{
        "merge",
        "branches that reach the terminal difficulty each, and work that comes too late",
        {step("main chain up to its last block of work", main, 1, at::kMerge - 1),
         step("heavier branch with two blocks of stake", *side, kFork + 1, kTip),
         step("stake on the main chain", main, at::kMerge, at::kMerge + 2)}};
    scenario.steps.push_back(scenario.steps.back());
    scenario.steps.back().about = "work never displaces stake, however heavy";
    scenario.steps.back().file = heavier->file(kFork - 3, heavy_tip);
    return scenario;
}

// Proof of stake: one branch is in Cancun where the other is not yet.
Scenario across_cancun(const ChainMaker& main) {
    constexpr uint64_t kFork = at::kCancun - 2;
    const uint64_t fork_time = at::time_of(at::kCancun);
    const auto side =
        branch(main, kFork, 4, {fork_time - 4, fork_time - 2, fork_time, fork_time + 3});
    expect(!side->block(kFork + 2).header.excess_blob_gas, "Shanghai where main is in Cancun");
    expect(side->head().excess_blob_gas.has_value(), "Cancun at the end");
    return {"cancun",
            "five blocks of the main chain against four that come to Cancun one number later",
            {step("main chain", main, 1, kFork + 5),
             step("branch of four blocks", *side, kFork + 1, kFork + 4),
             step("one more block on the main chain", main, kFork + 6, kFork + 6)}};
}

// The newest forks: system contracts hold other roots and hashes on each branch.
Scenario across_osaka(const ChainMaker& main) {
    constexpr uint64_t kFork = at::kOsaka - 3;
    const uint64_t start = at::time_of(kFork);
    const auto side =
        branch(main, kFork, 5, {start + 5, start + 10, at::time_of(at::kOsaka), start + 40});
    return {"osaka",
            "branches that come to Osaka at the same time",
            {step("main chain", main, 1, kFork + 5),
             step("branch of four blocks", *side, kFork + 1, kFork + 4),
             step("two more blocks on the main chain", main, kFork + 6, kFork + 7)}};
}

}  // namespace

std::vector<Scenario> make_branches(const ChainMaker& main) {
    return {across_london(main), across_merge(main), across_cancun(main), across_osaka(main)};
}

}  // namespace keel::testdata
