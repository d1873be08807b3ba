import { applyDecorators, Get, Header } from '@nestjs/common';

/** Declares a GET whose response must not be cached. */
export const GetFresh = (path?: string) => applyDecorators(Get(path), Header('cache-control', 'no-store'));
