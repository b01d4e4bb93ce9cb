#include "core/types/fork.hpp"

namespace keel::core {

std::string_view to_string(Fork fork) noexcept {
    switch (fork) {
        case Fork::Frontier:
            return "Frontier";
        case Fork::Homestead:
            return "Homestead";
        case Fork::Dao:
            return "DAO";
        case Fork::TangerineWhistle:
            return "Tangerine Whistle";
        case Fork::SpuriousDragon:
            return "Spurious Dragon";
        case Fork::Byzantium:
            return "Byzantium";
        case Fork::Constantinople:
            return "Constantinople";
        case Fork::Petersburg:
            return "Petersburg";
        case Fork::Istanbul:
            return "Istanbul";
        case Fork::MuirGlacier:
            return "Muir Glacier";
        case Fork::Berlin:
            return "Berlin";
        case Fork::London:
            return "London";
        case Fork::ArrowGlacier:
            return "Arrow Glacier";
        case Fork::GrayGlacier:
            return "Gray Glacier";
        case Fork::Paris:
            return "Paris";
        case Fork::Shanghai:
            return "Shanghai";
        case Fork::Cancun:
            return "Cancun";
        case Fork::Prague:
            return "Prague";
        case Fork::Osaka:
            return "Osaka";
        case Fork::Bpo1:
            return "BPO1";
        case Fork::Bpo2:
            return "BPO2";
        case Fork::Bpo3:
            return "BPO3";
        case Fork::Bpo4:
            return "BPO4";
        case Fork::Bpo5:
            return "BPO5";
    }
    return "unknown fork";
}

}  // namespace keel::core
