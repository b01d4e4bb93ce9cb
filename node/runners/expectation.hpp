#pragma once

#include <optional>
#include <string_view>

#include "chain/verdict.hpp"
#include "core/types/fork.hpp"
#include "crypto/recover.hpp"

namespace keel::node::runners {

/// Whether a verdict is one that the names of an `expectException` allow: "A|B" allows both. Old
/// names and new ones, with or without their class ("TransactionException."). A name that is not
/// known allows nothing. Source: fixtures/README.md 10.
bool allows(std::string_view expected, chain::Verdict verdict) noexcept;

/// The same of a refusal of which only the text is known, as the Engine API tells it: the words of
/// one of the allowed verdicts stand in it.
bool allows_text(std::string_view expected, std::string_view text) noexcept;

/// Names with a class came with execution-spec-tests; those without are older.
bool is_new_name(std::string_view expected) noexcept;

}  // namespace keel::node::runners
