/**
 * What an attention block relates: `self` tokens with each other; `windowed` tokens of one window with each other; `class` a few tokens (the class
 * token) with all of which they are some; `cross` queries with keys of something else, or learned queries with keys.
 */
export type AttentionKind = 'self' | 'windowed' | 'class' | 'cross';
