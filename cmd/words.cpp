#include "cmd/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace keel::cmd {
namespace {

/// Letters to insert, delete, replace or exchange with their neighbour (optimal string alignment).
size_t edits_between(std::string_view from, std::string_view to) {
    std::vector<size_t> before(to.size() + 1);  // two rows up
    std::vector<size_t> above(to.size() + 1);
    std::vector<size_t> row(to.size() + 1);
    for (size_t j = 0; j <= to.size(); ++j) above[j] = j;
    for (size_t i = 1; i <= from.size(); ++i) {
        row[0] = i;
        for (size_t j = 1; j <= to.size(); ++j) {
            const size_t replaced = above[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
            if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
        before.swap(above);
        above.swap(row);
    }
    return above[to.size()];
}

}  // namespace

std::optional<std::string> nearest_word(std::string_view word, std::span<const std::string> words) {
    const size_t letters = word.size() - std::min(word.find_first_not_of('-'), word.size());
    size_t best = letters / 3 + 1;  // one more than is still near
    std::optional<std::string> found;
    for (const std::string& candidate : words) {
        const size_t edits = edits_between(word, candidate);
        if (edits >= best) continue;
        best = edits;
        found = candidate;
    }
    return found;
}

std::string bash_completion(std::span<const CommandWords> commands) {
    std::string known;
    std::string cases;
    for (const CommandWords& command : commands) {
        if (!command.path.empty())
            known += fmt::format("{}'{}'", known.empty() ? "" : " | ", command.path);
        cases += fmt::format("        '{}') commands='{}' flags='{}' ;;\n", command.path,
                             fmt::join(command.commands, " "), fmt::join(command.flags, " "));
    }
    return fmt::format(
        R"(# bash completion of keel: source this, or put it into bash-completion's folder.
_keel() {{
    local word="${{COMP_WORDS[COMP_CWORD]}}" command= commands= flags= longer i
    for ((i = 1; i < COMP_CWORD; i++)); do
        longer="${{command:+$command }}${{COMP_WORDS[i]}}"
        case "$longer" in
            {}) command="$longer" ;;
        esac
    done
    case "$command" in
{}    esac
    COMPREPLY=()
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$word")
    elif [[ -n $commands ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word")
    fi
}}
complete -o default -F _keel keel
)",
        known, cases);
}

}  // namespace keel::cmd
