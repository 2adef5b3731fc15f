// Values and gradients of the nodes, where the page holds them.
const aboutEdge = () => [];
const aboutValues = () => [];
let colouring = '';
const setColouring = () => {};
const nextColouring = () => {};
const paintNodes = () => {};
