#include "chain/verdict.hpp"

namespace keel::chain {
namespace {

constexpr bool in_order_of_the_enum() {
    for (size_t i = 0; i < kVerdicts.size(); ++i) {
        if (static_cast<size_t>(kVerdicts[i].verdict) != i) return false;
    }
    return true;
}
static_assert(in_order_of_the_enum());
static_assert(kVerdicts.back().verdict == Verdict::KnownBad, "a row for every verdict");

}  // namespace

Rejection in_tx(size_t tx_index, const core::Hash32& tx_hash, Rejection rejection) {
    rejection.text = fmt::format("could not apply tx {} [{}]: {}", tx_index,
                                 core::to_hex_prefixed(tx_hash), rejection.text);
    return rejection;
}

Rejection in_undecodable_tx(size_t tx_index, Rejection rejection) {
    rejection.text = fmt::format("invalid transaction {}: {}", tx_index, rejection.text);
    return rejection;
}

std::string_view to_string(Verdict verdict) noexcept {
    return kVerdicts[static_cast<size_t>(verdict)].name;
}

std::optional<Verdict> verdict_of_name(std::string_view name) noexcept {
    for (const VerdictRow& row : kVerdicts) {
        if (row.name == name) return row.verdict;
    }
    return std::nullopt;
}

bool leaves_mark(Verdict verdict) noexcept {
    return kVerdicts[static_cast<size_t>(verdict)].leaves_mark;
}

}  // namespace keel::chain
