import { applyDecorators, Get, Header } from '@nestjs/common';

/** A GET whose answer is true at its moment only. */
export const GetFresh = (path?: string) => applyDecorators(Get(path), Header('cache-control', 'no-store'));
