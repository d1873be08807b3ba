/**
 * Folds the case of a string for case-insensitive comparison. Both steps are needed: conversion to lowercase alone
 * depends on adjacent letters (a sigma at the end of a word), and conversion to uppercase alone keeps letters such as
 * the Kelvin sign distinct from their equivalents.
 */
export function foldCase(text: string): string {
  return text.toLowerCase().toUpperCase();
}
