#pragma once

#include <string_view>

/// How SVG pictures look, light and dark.
namespace taugrad::draw {

// Colours tell kinds apart and so do outlines, for eyes and printers without colour. Text keeps a
// contrast of 4.5.
inline constexpr std::string_view kSvgStyle = R"(
  .bg{fill:#fff} text{font-family:Helvetica,Arial,"Liberation Sans",sans-serif;font-size:12px;fill:#111;text-anchor:middle}
  .s,.cap,.e{font-size:10px} .s{fill:#444} .cap{font-size:11px;fill:#555} .o text{font-size:11px}
  .cl{fill:#fafafa;stroke:#bbb} .cl.gap{fill:none;stroke-dasharray:2 4}
  rect{stroke:#333;fill:#fff} .bg,.in{stroke:none} .in{fill:none}
  .input rect{fill:#ffffd5} .weight rect{fill:#add8e6} .copy rect{fill:#e0f1f8;stroke:#6f9db3}
  .loss rect{fill:#caff70} .constant rect{fill:#e6e6e6;stroke:#888} .operation rect{fill:#f3f3f3;stroke:#777}
  .random .in{stroke:#333} .ellipsis rect{fill:none;stroke:#999;stroke-dasharray:3 4}
  .adjoint rect{fill:#ffdcb8;stroke:#8a4a10} .adjoint.operation rect{fill:#fff0e0;stroke:#b08050} .adjoint .in{fill:none}
  .second rect{fill:#efd0ec;stroke:#7a2a78;stroke-width:1.8px} .second.operation rect{fill:#f7eaf6;stroke:#a070a0}
  path{fill:none;stroke:#333;stroke-width:1.1} .delayed{stroke-dasharray:5 3}
  .share{stroke:#6fa6c0;stroke-width:.9} .back{stroke:#c05a10} .recall{stroke:#b8b8b8;stroke-width:.9}
  .lb{stroke:none;fill:#fff;fill-opacity:.9} .cap{stroke:#fafafa;stroke-width:3.5px;paint-order:stroke;stroke-linejoin:round}
  marker path{stroke:none;fill:#333} #a-share path{fill:#6fa6c0} #a-back path{fill:#c05a10} #a-recall path{fill:#b8b8b8}
  @media (prefers-color-scheme:dark){
  .bg{fill:#15181d} text{fill:#eee} .s{fill:#c4c8ce} .cap{fill:#b4bac2} .cl{fill:#1c2026;stroke:#4a515c}
  rect{stroke:#c8ccd2;fill:#2a2f37} .bg,.in{stroke:none} .in{fill:none} .random .in{stroke:#c8ccd2}
  .input rect{fill:#4d4a1a} .weight rect{fill:#1f4f66} .copy rect{fill:#1b3a4a;stroke:#6f9db3} .loss rect{fill:#3d5a12}
  .constant rect{fill:#3c3f45;stroke:#999} .operation rect{fill:#262a31;stroke:#8a9099}
  .ellipsis rect{fill:none;stroke:#777} .adjoint rect{fill:#6b3d12;stroke:#e0a060} .adjoint.operation rect{fill:#3f2a16;stroke:#c08a50}
  .second rect{fill:#54254f;stroke:#dc9ad6} .second.operation rect{fill:#38203a;stroke:#b07cb0}
  .adjoint .in{fill:none} path{stroke:#ccd2da} .share{stroke:#5f9cb8} .back{stroke:#e8914a} .recall{stroke:#5a6068}
  .lb{stroke:none;fill:#181c21} .cap{stroke:#1c2026} marker path{fill:#ccd2da} #a-share path{fill:#5f9cb8} #a-back path{fill:#e8914a} #a-recall path{fill:#5a6068}}
)";

// Of pictures that are coloured by numbers.
inline constexpr std::string_view kSvgStriking = R"(
  .bad rect{stroke:#d00000;stroke-width:3.5px} .bad .in{stroke:#fff;stroke-width:1px}
  path.bad{stroke:#d00000;stroke-width:3px} .lg rect{stroke:none} .lt{text-anchor:start;font-size:10px}
)";

// Of printed pictures: black on white, as a book has it; letters are those of mathematics.
inline constexpr std::string_view kSvgPrinted = R"(
  .m{font-family:"Latin Modern Math","STIX Two Math","STIX Two Text","Cambria Math",Cambria,"Times New Roman",Times,serif;font-size:14px}
  .m,.e.m{font-style:italic} .e.m{font-size:12px} .r{font-style:normal;font-size:9px} .bf{font-style:normal}
  .input rect,.loss rect,.copy rect,.operation rect{fill:#fff} .weight rect{fill:#e8f2f6} .adjoint rect{fill:#fff3e6} .second rect{fill:#f9eef8}
  .constant rect{fill:#fff;stroke:#888;stroke-dasharray:3 3} .ellipsis rect{stroke:none} .sq{fill:#111;stroke:none}
  @media (prefers-color-scheme:dark){.input rect,.loss rect,.copy rect,.operation rect{fill:#2a2f37} .weight rect{fill:#1f4f66}
  .adjoint rect{fill:#4a2f16} .second rect{fill:#54254f} .constant rect{fill:#15181d;stroke:#999} .sq{fill:#eee}}
)";

}  // namespace taugrad::draw
